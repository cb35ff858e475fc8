/** Totals of both directions, and how full the queues are. */
import { byId, el, set, write } from './dom.js';
import type { Detail, Snapshot } from './wire.js';
import { bytes, count, plural, rate } from './words.js';

type LineSnapshot = Exclude<Snapshot, { kind: 'server' }>;
type Queue = 'outbox' | 'pending' | 'inbox';

const queues: readonly (readonly [Queue, string, string])[] = [
  ['outbox', 'Outbox', 'accepted and not written yet'],
  ['pending', 'Pending', 'not with the kernel yet: the outbox, and what Node holds'],
  ['inbox', 'Inbox', 'decoded and not taken yet'],
];

interface Bar {
  readonly value: HTMLElement;
  readonly fill: HTMLElement;
  readonly track: HTMLElement;
  readonly most: HTMLElement;
}

export class FiguresView {
  private readonly block = byId('figures');
  private readonly totals = el('dl', { class: 'totals' });
  private readonly bars = new Map<Queue, Bar>();
  private readonly lineParts = el('div', { class: 'queues' });
  /** The most bytes that were seen in each queue of the chosen one. */
  private most = new Map<Queue, number>();
  private id: string | undefined;

  constructor() {
    for (const [queue, label, words] of queues) {
      const fill = el('i');
      const track = el(
        'div',
        { class: 'track', role: 'meter', 'aria-label': `${label}: ${words}`, 'aria-valuemin': 0 },
        fill,
      );
      const bar = { value: el('b'), fill, track, most: el('span', { class: 'quiet' }) };
      this.bars.set(queue, bar);
      this.lineParts.append(
        el('div', { class: 'queue', title: words }, el('p', {}, el('span', {}, label), bar.value, bar.most), track),
      );
    }
    this.block.append(
      el('div', { class: 'card-head' }, el('h2', {}, 'Traffic and queues')),
      this.totals,
      this.lineParts,
    );
  }

  show({ id, snapshot }: Detail): void {
    if (id !== this.id) this.most = new Map();
    this.id = id;
    this.lineParts.hidden = snapshot.kind === 'server';
    this.list(totalsOf(snapshot));
    if (snapshot.kind !== 'server') for (const [queue] of queues) this.bar(queue, snapshot);
  }

  private list(totals: readonly (readonly [string, string, string])[]): void {
    while (this.totals.children.length > totals.length) this.totals.lastElementChild?.remove();
    totals.forEach(([name, value, below], index) => {
      let one = this.totals.children[index];
      if (!one) {
        one = el('div', {}, el('dt'), el('dd'), el('dd', { class: 'quiet' }));
        this.totals.append(one);
      }
      const [dt, dd, small] = one.children as unknown as [Element, Element, Element];
      write(dt, name);
      write(dd, value);
      write(small, below);
    });
  }

  private bar(queue: Queue, snapshot: LineSnapshot): void {
    const bar = this.bars.get(queue);
    if (!bar) return;
    const fill = snapshot[queue];
    const most = Math.max(this.most.get(queue) ?? 0, fill.bytes);
    this.most.set(queue, most);
    write(bar.value, `${plural(fill.messages, 'message')}, ${bytes(fill.bytes)}`);
    write(bar.most, most > 0 ? `the most seen: ${bytes(most)}` : 'empty');
    bar.fill.style.setProperty('transform', `scaleX(${most > 0 ? fill.bytes / most : 0})`);
    set(bar.track, 'class', `track${queue === 'inbox' && snapshot.readingPaused ? ' full' : ''}`);
    set(bar.track, 'aria-valuemax', Math.max(1, most));
    set(bar.track, 'aria-valuenow', fill.bytes);
    set(bar.track, 'aria-valuetext', `${fill.messages} messages, ${bytes(fill.bytes)}`);
  }
}

function totalsOf(snapshot: Snapshot): readonly (readonly [string, string, string])[] {
  if (snapshot.kind === 'server') {
    return [
      ['Peers now', count(snapshot.peers), ''],
      ['Accepted', count(snapshot.accepted), 'since it began'],
      ['Turned away', count(snapshot.refused), 'before they became peers'],
    ];
  }
  const { received, sent } = snapshot;
  return [
    ['In', `${rate(received.messagesPerSecond)} /s`, `${bytes(received.bytesPerSecond)} a second`],
    ['Out', `${rate(sent.messagesPerSecond)} /s`, `${bytes(sent.bytesPerSecond)} a second`],
    ['Received', plural(received.messages, 'message'), bytes(received.bytes)],
    ['Sent', plural(sent.messages, 'message'), bytes(sent.bytes)],
    ['Heard', bytes(snapshot.heardBytes), 'with headers and heartbeats'],
  ];
}
