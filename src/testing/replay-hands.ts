import type { ConnectionPorts } from '../../machines/connection.setup.js';
import type { SocketHandle } from '../../machines/line.setup.js';
import type { AnswerName, FlightAnswers } from '../recorder/dump.js';

const nothing = (): void => {};

/** Hands that answer as they did in the recording, and do nothing. */
export class ReplayHands implements ConnectionPorts {
  /** What was asked, and not answered in the recording. */
  unanswered: AnswerName | undefined;
  private left: { [Name in AnswerName]?: (number | boolean)[] } = {};

  constructor(private readonly time: { now(): number; wallNow(): number }) {}

  /** The answers of the next step. */
  prepare(answers: FlightAnswers): void {
    this.unanswered = undefined;
    this.left = Object.fromEntries(Object.entries(answers).map(([name, given]) => [name, [...given]]));
  }

  now(): number {
    return this.number('now', this.time.now());
  }

  wallNow(): number {
    return this.number('wallNow', this.time.wallNow());
  }

  silenceDelay(): number {
    return this.number('silenceDelay', 0);
  }

  silentForMs(): number {
    return this.number('silentForMs', 0);
  }

  heardInTime(): boolean {
    return this.next('heardInTime') === true;
  }

  backoff(): number | false {
    const answer = this.next('backoff');
    return typeof answer === 'number' ? answer : false;
  }

  owesSession(): boolean {
    return this.next('owesSession') === true;
  }

  openSocket(): SocketHandle {
    return { discard: nothing, destroy: nothing };
  }

  openGate = nothing;
  shutGate = nothing;
  drain = nothing;
  settleHeld = nothing;
  armSilence = nothing;
  entered = nothing;
  revive = nothing;
  greet = nothing;

  toJSON(): undefined {
    return undefined;
  }

  private number(name: AnswerName, otherwise: number): number {
    const answer = this.next(name);
    return typeof answer === 'number' ? answer : otherwise;
  }

  private next(name: AnswerName): number | boolean | undefined {
    const answer = this.left[name]?.shift();
    if (answer === undefined) this.unanswered ??= name;
    return answer;
  }
}
