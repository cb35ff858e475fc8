import { NinjaTcpError } from '../errors.js';
import { ClientSession, type SessionEnd, sessionCrypto, type Tlv } from '../protocol/session/index.js';
import { type ClientPlace, DurableSessions, durableDefaults } from '../sessions/durable.js';
import type { ClientSessionSettings } from '../settings/session.js';
import type { ConnectionSettings } from '../settings.js';
import type { Socket } from '../socket/socket.js';
import type { SessionHost } from './session-host.js';
import { SocketLink } from './session-link.js';
import { SessionSide } from './session-side.js';
import { isPromise } from './waiters.js';

/** Type of the TLV that carries the program's credentials. */
export const CREDENTIALS = 0x8000;
/** Bytes of the longest credentials, so that the handshake stays within its bound. */
const MOST_CREDENTIALS = 8 * 1024;

/** A client's session: one after another, where the policy says so. */
export class ClientSide extends SessionSide<ClientSession> {
  core: ClientSession;
  /** Sessions that there were, this one included. */
  count = 1;
  private readonly durable: DurableSessions | undefined;
  /** Its place in the store, once it is ours. */
  private place: ClientPlace | undefined;
  private taking: Promise<void> | undefined;
  /** Another process has taken the place: it is left to that one until the program wants it back. */
  usurped = false;

  constructor(
    host: SessionHost,
    private readonly settings: ConnectionSettings,
    private readonly session: ClientSessionSettings,
  ) {
    super(host, settings.environment.clock, session.acknowledge, 'client', settings.environment.warn);
    this.core = this.begin();
    const { store, storeTimeout: patience } = session;
    const { clock, warn: report } = settings.environment;
    if (store)
      this.durable = new DurableSessions(
        store,
        { clock, random: this.random, report },
        { ...durableDefaults, patience },
      );
  }

  private readonly random = (length: number): Uint8Array => {
    const { randomBytes } = this.settings.environment;
    return (randomBytes as (length: number) => Uint8Array)(length);
  };

  get resumeWindow(): number {
    return this.session.resumeWindow;
  }

  /** Only the server's clock ends a session. */
  expire(): void {}

  /** There is something of an established session that the other side has not handled, or may not know to be over. */
  get owes(): boolean {
    return this.core.state === 'detached' || this.core.state === 'attached';
  }

  /** A socket is open: asks for a session over it, or for this one again. @param failed the credentials cannot be had */
  greet(socket: Socket, failed: (cause: unknown) => void): void {
    const link = this.bind(new SocketLink(undefined), socket);
    if (this.usurped) {
      failed(new NinjaTcpError('NINJA_SESSION_TAKEN_OVER', 'another process has taken the session over'));
      return;
    }
    if (!this.durable || this.place) {
      this.present(link, failed);
      return;
    }
    // Another socket may have come meanwhile, or none be left.
    const still = (act: () => void) => () => link === this.link && act();
    this.taking ??= this.takePlace(this.durable);
    this.taking.then(
      still(() => this.present(link, failed)),
      (cause: unknown) => still(() => failed(cause))(),
    );
  }

  /** What a process before this one left in the store is gone on with. */
  private async takePlace(durable: DurableSessions): Promise<void> {
    try {
      const place = await durable.placeOf(this.session.storeName);
      this.place = place;
      this.core = this.begin(place.record);
      if (place.record) {
        this.goesOn();
        this.view.renew();
      }
      place.keep(this.core);
    } finally {
      this.taking = undefined;
    }
  }

  /** Shows who the program is, and asks for the session. */
  private present(link: SocketLink, failed: (cause: unknown) => void): void {
    const open = (shown: unknown) => {
      // Another socket may have come, or none be left, while the program looked for its credentials.
      if (link !== this.link) return;
      this.core.open(link, tlvsOf(shown), this.host.now());
      this.view.tell((life) => life.opening());
      this.view.begin((act) => this.settings.environment.clock.defer(act));
    };
    try {
      const { credentials } = this.session;
      const shown: unknown = typeof credentials === 'function' ? credentials() : credentials;
      if (!isPromise(shown)) open(shown);
      else shown.then(open).then(undefined, (cause: unknown) => link === this.link && failed(cause));
    } catch (cause) {
      failed(cause);
    }
  }

  override ended(end: SessionEnd): void {
    super.ended(end);
    this.count += 1;
    this.renew();
    this.core = this.begin();
    // Somebody else has the place, or it is left for whoever comes next: it is taken anew, by the next attempt.
    const away = end.how === 'lost' && (end.code === 'TAKEN_OVER' || end.code === 'PARTED');
    this.usurped = end.how === 'lost' && end.code === 'TAKEN_OVER';
    if (away) this.place = undefined;
    else this.place?.keep(this.core);
  }

  /** The connection gives up, or ends: with a store the session is there for the next one. */
  giveUp(): void {
    if (this.durable) this.core.part();
    else this.core.abandon();
  }

  /** Resolves when the store has all of it; undefined where there is none. */
  get whenStored(): Promise<void> | undefined {
    return this.durable?.idle();
  }

  private begin(record?: ClientPlace['record']): ClientSession {
    const { settings, session } = this;
    const { heartbeatInterval, maxFrameLength, endpoints } = settings;
    return new ClientSession(
      {
        acknowledge: session.acknowledge,
        maxFrame: maxFrameLength,
        window: session.window,
        retain: session.window,
        heartbeatMs: heartbeatInterval,
        resumeMs: session.resumeWindow,
        endpoints: endpoints.length,
      },
      sessionCrypto(this.random),
      this,
      record,
    );
  }
}

/** @throws TypeError, RangeError what the program gave cannot be shown */
function tlvsOf(shown: unknown): Tlv[] {
  if (shown === undefined) return [];
  if (typeof shown !== 'string' && !(shown instanceof Uint8Array)) {
    throw new TypeError('session.credentials must give bytes or a string');
  }
  const value = typeof shown === 'string' ? Buffer.from(shown) : shown;
  if (value.length > MOST_CREDENTIALS) {
    throw new RangeError(`session.credentials must have at most ${MOST_CREDENTIALS} bytes, got ${value.length}`);
  }
  return [{ type: CREDENTIALS, value }];
}
