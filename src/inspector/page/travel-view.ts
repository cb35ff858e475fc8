/** Time travel: stop the picture, go back and forth in what was recorded, and take it along as a file. */
import { button, byId, el, set, write } from './dom.js';
import { exported, type Recording } from './recording.js';
import type { Hello } from './wire.js';
import { count, exactTime, plural, span } from './words.js';

export interface TravelOwner {
  readonly recording: Recording | undefined;
  readonly hello: Hello | undefined;
  /** Something else is looked at. */
  travelled(): void;
}

export class TravelView {
  private readonly bar = byId('travel');
  private readonly pause: HTMLButtonElement;
  private readonly back: HTMLButtonElement;
  private readonly forth: HTMLButtonElement;
  private readonly slider = el('input', {
    type: 'range',
    min: 0,
    max: 0,
    value: 0,
    step: 1,
    'aria-label': 'Position in the recording',
  });
  private readonly words = el('output', {});

  constructor(private readonly owner: TravelOwner) {
    this.pause = button('Pause', { class: 'pause', title: 'Stop the picture, or let it go on (space)' }, () =>
      this.toggle(),
    );
    this.back = button('◀ Step', { title: 'One step back ([)', 'aria-label': 'One step back' }, () =>
      this.move(-1, true),
    );
    this.forth = button('Step ▶', { title: 'One step forth (])', 'aria-label': 'One step forth' }, () =>
      this.move(1, true),
    );
    const take = button('Export', { class: 'export', title: 'Download the recording as JSON (e)' }, () =>
      this.download(),
    );
    this.slider.addEventListener('input', () => this.change((recording) => recording.go(Number(this.slider.value))));
    this.bar.append(this.pause, this.back, this.slider, this.forth, this.words, take);
  }

  private change(act: (recording: Recording) => void): void {
    const { recording } = this.owner;
    if (!recording) return;
    act(recording);
    this.owner.travelled();
  }

  toggle(): void {
    this.change((recording) => (recording.held === undefined ? recording.pause() : recording.live()));
  }

  /** @param stepsOnly from transition to transition; else every picture */
  move(direction: -1 | 1, stepsOnly: boolean): void {
    this.change((recording) => recording.move(direction, stepsOnly));
  }

  goToTime(at: number): void {
    this.change((recording) => recording.go(recording.positionAt(at)));
  }

  live(): void {
    this.change((recording) => recording.live());
  }

  show(now: number): void {
    const { recording } = this.owner;
    this.bar.hidden = !recording;
    if (!recording) return;
    const { first, end, held } = recording;
    const at = held ?? end - 1;
    set(this.slider, 'min', first);
    set(this.slider, 'max', Math.max(first, end - 1));
    this.slider.value = String(at);
    const time = recording.moment()?.at;
    const when = time === undefined ? 'nothing recorded yet' : exactTime(time);
    set(this.slider, 'aria-valuetext', when);
    set(this.bar, 'class', held === undefined ? '' : 'held');
    write(this.pause, held === undefined ? 'Pause' : 'Live');
    set(this.pause, 'aria-pressed', String(held !== undefined));
    const ago = time !== undefined && held !== undefined ? `, ${span(now - time)} ago` : '';
    const what =
      held === undefined ? `live, ${plural(recording.all.length, 'entry', 'entries')} recorded` : `${when}${ago}`;
    write(this.words, held === undefined ? what : `${what} (${count(at - first + 1)} of ${count(end - first)})`);
  }

  download(): void {
    const { recording, hello } = this.owner;
    if (!recording) return;
    const text = JSON.stringify(exported(recording, hello), undefined, 1);
    const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    const name = `ninja-tcp-${recording.id}-${new Date(recording.moment()?.at ?? 0).toISOString().replace(/[:.]/g, '-')}.json`;
    el('a', { href: url, download: name.replace(/[^\w.-]+/g, '_') }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}
