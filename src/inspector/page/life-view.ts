/** Whose statechart is shown: that of the chosen one, or of its session. */
import { button, byId, set, write } from './dom.js';
import type { Life } from './recording.js';
import type { Snapshot } from './wire.js';

export class LifeView {
  private readonly group = byId<HTMLFieldSetElement>('lives');
  private readonly buttons: Readonly<Record<Life, HTMLButtonElement>>;
  private wanted: Life = 'own';

  constructor(private readonly changed: () => void) {
    const one = (life: Life) =>
      button('Session', { 'data-life': life, title: 'The statechart of the chosen one, or of its session (s)' }, () =>
        this.choose(life),
      );
    this.buttons = { own: one('own'), session: one('session') };
    this.group.append(...Object.values(this.buttons));
  }

  private choose(life: Life): void {
    this.wanted = life;
    this.changed();
  }

  toggle(): void {
    this.choose(this.wanted === 'own' ? 'session' : 'own');
  }

  /** @returns whose is shown: its own, where it has no session */
  show(snapshot: Snapshot | undefined): Life {
    const has = snapshot !== undefined && snapshot.kind !== 'server' && snapshot.session !== undefined;
    const life = has ? this.wanted : 'own';
    this.group.hidden = !has;
    if (snapshot) write(this.buttons.own, snapshot.kind === 'peer' ? 'Peer' : 'Connection');
    for (const [name, one] of Object.entries(this.buttons)) set(one, 'aria-pressed', String(name === life));
    return life;
  }
}
