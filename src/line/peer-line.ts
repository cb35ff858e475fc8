import type { SocketFact, SocketHandle } from '../../machines/line.setup.js';
import type { Transport } from '../environment.js';
import type { NinjaTcpError } from '../errors.js';
import type { LineSettings } from '../settings.js';
import { Line, type LineEvents } from './line.js';

export interface PeerLineEvents extends LineEvents {
  /** The client sent its FIN: nothing more comes, writing is still possible. */
  inputEnded(): void;
}

/** The server's data plane for one accepted transport. */
export class PeerLine extends Line {
  constructor(
    settings: LineSettings,
    readonly transport: Transport,
    private readonly peerEvents: PeerLineEvents,
  ) {
    super(settings, peerEvents);
  }

  openSocket(epoch: number, report: (fact: SocketFact) => void): SocketHandle {
    const socket = this.adopt(this.transport, epoch, report);
    socket.begin();
    return socket;
  }

  override openGate(): void {
    // The chart spawns the socket in the same step, a moment later; the first silence window begins now.
    this.gate = 'open';
    this.pulse.open(this.now());
  }

  protected currentEpoch(): number {
    return 1;
  }

  protected demandGate(): void {}

  /** A FIN ends what comes in. What goes out goes on until the handler is done. */
  ended(cutOff: NinjaTcpError | undefined): boolean {
    if (!cutOff) this.peerEvents.inputEnded();
    return false;
  }
}
