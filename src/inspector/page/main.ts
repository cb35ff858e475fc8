/** The inspector's page: ties the feed, what is known, and the views together. */
import { ChartView } from './chart-view.js';
import { forgetColours } from './colours.js';
import { ControlsView } from './controls-view.js';
import { byId, set, still, write } from './dom.js';
import { Feed } from './feed.js';
import { FiguresView } from './figures-view.js';
import { listenToKeys } from './keys.js';
import { LifeView } from './life-view.js';
import { ListView } from './list-view.js';
import { Replay } from './replay.js';
import { type Changes, type Link, Session } from './session.js';
import { EVENTS, TablesView } from './tables-view.js';
import { ThemeSwitch } from './theme.js';
import { TimelineView } from './timeline-view.js';
import { TravelView } from './travel-view.js';
import { TitleView, VerdictView } from './verdict-view.js';
import { type Message, type Order, placeOf, type Step } from './wire.js';

/** A choice by arrow keys is told to the process when it has rested for so long. */
const REST = 90;
const NOTICE = 8_000;
/** The list is put in order so often at most, milliseconds. */
const RELIST = 200;

const NOTHING: readonly never[] = [];

const links: Readonly<Record<Link, string>> = {
  connecting: 'connecting…',
  live: 'live',
  lost: 'the process does not answer; trying again…',
  closed: 'this address is not good any more: open the one that the process prints now',
};

class Page {
  private readonly session = new Session();
  private readonly list = new ListView(this.session.rows, this);
  private readonly title = new TitleView();
  private readonly verdict = new VerdictView();
  private readonly lives = new LifeView(() => this.turned());
  private readonly chart = new ChartView();
  private readonly timeline = new TimelineView({ travel: (at) => this.travel.goToTime(at) });
  private readonly figures = new FiguresView();
  private readonly tables = new TablesView((at) => this.travel.goToTime(at));
  private readonly travel = new TravelView(this);
  private readonly controls = new ControlsView({ order: (order) => void this.order(order) });
  private readonly feed = new Feed(this);
  private readonly theme = new ThemeSwitch(() => forgetColours());
  private replay = new Replay();
  private rest: ReturnType<typeof setTimeout> | undefined;
  private noticeUntil: ReturnType<typeof setTimeout> | undefined;
  private spokenPlace: string | undefined;
  private dirty = false;
  private drawnAt = 0;
  /** The list shows what is known. */
  private listed = true;
  private listedAt = 0;
  private plottedAt = 0;
  private watched: string | undefined;

  get chosen(): string | undefined {
    return this.session.chosen;
  }

  get recording() {
    return this.session.recording;
  }

  get hello() {
    return this.session.hello;
  }

  /** The process's time. */
  get now(): number {
    return this.session.now(Date.now());
  }

  start(): void {
    listenToKeys([
      { on: ['/'], words: 'search', act: () => this.list.focusSearch() },
      { on: ['l'], words: 'to the list', act: () => byId('list').focus() },
      { on: ['c'], words: 'to the statechart', act: () => byId('stage').focus() },
      { on: [' '], shown: 'Space', words: 'stop the picture, or let it go on', act: () => this.travel.toggle() },
      { on: ['['], words: 'one step back', act: () => this.travel.move(-1, true) },
      { on: [']'], words: 'one step forth', act: () => this.travel.move(1, true) },
      { on: ['{'], words: 'one picture back', act: () => this.travel.move(-1, false) },
      { on: ['}'], words: 'one picture forth', act: () => this.travel.move(1, false) },
      { on: ['Escape'], shown: 'Esc', words: 'back to the present', act: () => this.travel.live() },
      { on: ['e'], words: 'download the recording', act: () => this.travel.download() },
      { on: [','], words: 'shorter timeline', act: () => this.timeline.stretch(-1) },
      { on: ['.'], words: 'longer timeline', act: () => this.timeline.stretch(1) },
      { on: ['s'], words: 'the statechart of the session, or back', act: () => this.lives.toggle() },
      { on: ['w'], words: 'hide or show the list', act: () => this.widen() },
      { on: ['t'], words: 'dark or light', act: () => this.theme.turn() },
    ]);
    byId('wide').addEventListener('click', () => this.widen());
    byId('zoom-in').addEventListener('click', () => this.chart.stage.nearer(1));
    byId('zoom-out').addEventListener('click', () => this.chart.stage.nearer(-1));
    byId('zoom-fit').addEventListener('click', () => this.chart.stage.choose('all'));
    byId('zoom-follow').addEventListener('click', () => this.chart.stage.choose('follow'));
    this.showLink();
    this.feed.open();
    setInterval(() => this.list.draw(), 1000);
    requestAnimationFrame(() => this.frame());
  }

  private widen(): void {
    const wide = document.body.classList.toggle('wide');
    set(byId('wide'), 'aria-pressed', String(wide));
  }

  heard(message: Message): void {
    const before = this.recording;
    const changes = this.session.apply(message, Date.now());
    if (this.recording !== before) this.replay = new Replay();
    if (changes.step && this.recording?.held === undefined) this.play(message as Step);
    this.changed(changes);
  }

  private play(step: Step): void {
    const { kind } = this.session;
    if (!kind || (step.chart ?? 'own') !== this.recording?.life) return;
    const node = this.hello?.charts[step.chart ?? kind].nodes.find(({ place }) => place === step.to);
    this.replay.add(step, node?.type === 'transient');
  }

  /** Another statechart is to be shown. */
  private turned(): void {
    this.replay = new Replay();
    this.dirty = true;
  }

  lost(): void {
    this.session.lost(Date.now());
    this.showLink();
    this.dirty = true;
  }

  refused(): void {
    this.session.link = 'closed';
    this.showLink();
  }

  private changed(changes: Changes): void {
    if (changes.hello) {
      this.watched = this.chosen;
      this.showLink();
    }
    if (changes.rows) this.listed = false;
    if (this.chosen !== this.watched) this.watch();
    if (changes.step || changes.detail || changes.hello) this.dirty = true;
    if (changes.notice) this.notice(changes.notice);
  }

  private showLink(): void {
    const { link, hello } = this.session;
    set(byId('link'), 'class', link);
    write(byId('link'), links[link]);
    write(byId('process'), hello ? `${hello.title} · process ${hello.pid} · ${hello.version}` : '');
    if (hello) document.title = `${hello.title} · ninja-tcp inspector`;
  }

  private notice(words: string): void {
    const line = byId('notice');
    write(line, words);
    line.hidden = false;
    clearTimeout(this.noticeUntil);
    this.noticeUntil = setTimeout(() => {
      line.hidden = true;
    }, NOTICE);
  }

  choose(id: string): void {
    this.session.choose(id);
    this.replay = new Replay();
    this.spokenPlace = undefined;
    this.list.draw();
    this.dirty = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.watch(), REST);
  }

  private watch(): void {
    if (this.chosen === this.watched) return;
    this.watched = this.chosen;
    this.feed.watch(this.chosen);
  }

  travelled(): void {
    this.dirty = true;
  }

  private async order(order: Order): Promise<void> {
    const id = this.chosen;
    const wrong = id === undefined ? undefined : await this.feed.order(id, order);
    if (wrong) this.notice(wrong);
  }

  /** Each frame moves what runs down; the rest is drawn when something came. */
  private frame(): void {
    requestAnimationFrame(() => this.frame());
    const here = Date.now();
    // Rows come in many small messages: the list is put in order once for all of them.
    if (!this.listed && here - this.listedAt >= RELIST) {
      this.listed = true;
      this.list.refresh();
      this.listedAt = Date.now();
    }
    if (this.recording?.held !== undefined) this.replay = new Replay();
    else if (this.replay.turn(here)) this.dirty = true;
    // With little motion wanted, figures change four times a second.
    const due = here - this.drawnAt >= (still() ? 250 : 30);
    if (!this.dirty && !due) return;
    this.drawnAt = here;
    const { recording } = this.session;
    byId('nobody').hidden = recording !== undefined;
    byId('somebody').hidden = recording === undefined;
    const moment = recording?.moment();
    const now = recording?.held === undefined ? this.now : (moment?.at ?? this.now);
    const fresh = this.dirty;
    this.dirty = false;
    if (fresh) this.draw(now);
    if (!recording || !moment?.picture) return;
    this.verdict.tick(now);
    this.chart.tick(this.session.over ? [] : moment.picture.snapshot.timers, now);
    // The timeline creeps: a few times a second are enough.
    if (here - this.plottedAt < 100 && !fresh) return;
    this.plottedAt = here;
    this.timeline.draw(recording, now);
    this.timeline.tell(now);
  }

  private draw(now: number): void {
    const { recording, hello, rows } = this.session;
    this.travel.show(this.now);
    if (!recording) return;
    const row = rows.get(recording.id);
    const own = recording.moment('own');
    const picture = own?.picture;
    const kind = picture?.snapshot.kind ?? row?.kind;
    const place = own?.place ?? (row && placeOf(row));
    if (!kind || place === undefined) return;
    const life = this.lives.show(picture?.snapshot);
    recording.life = life;
    const moment = recording.moment();
    const name = picture?.snapshot.name ?? row?.name ?? recording.id;
    // What is known of the one before must not stand under another's name.
    set(byId('somebody'), 'class', picture ? '' : 'blank');
    this.title.show(name, kind, place);
    this.controls.show(
      hello?.allowControl ?? false,
      kind,
      this.session.over ? 'disposed' : (this.session.place ?? place),
      name,
    );
    this.chart.draw(hello?.charts[life === 'own' ? kind : life]);
    const steps = recording.steps(EVENTS);
    const { shown } = this.replay;
    // What changed nothing hides nothing.
    const last = steps.find(({ taken }) => taken.length > 0);
    const step = recording.held === undefined ? (shown ?? this.replay.wholeOf(last)) : moment?.step;
    this.chart.light(shown?.to ?? (life === 'own' ? place : moment?.place), step);
    this.chart.tell(step);
    this.verdict.show(picture);
    if (picture) this.figures.show(picture);
    this.tables.show(steps, (life === 'own' ? picture?.history : picture?.sessionHistory) ?? NOTHING, now);
    if (this.spokenPlace !== place && picture) {
      if (this.spokenPlace !== undefined || recording.held === undefined) write(byId('spoken'), this.verdict.spoken);
      this.spokenPlace = place;
    }
  }
}

new Page().start();
