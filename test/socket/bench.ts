import type { SocketFact } from '../../machines/line.setup.js';
import type { ConnectOptions } from '../../src/index.js';
import { connectionSettings } from '../../src/settings.js';
import type { SocketOwner } from '../../src/socket/owner.js';
import { Pulse } from '../../src/socket/pulse.js';
import { Socket } from '../../src/socket/socket.js';
import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { FakeTransport, framesIn } from './fakes.js';

/** One socket on a transport that a test drives; what it says is in two lists. */
export function socketBench(options: Partial<ConnectOptions> = {}, session: Partial<SocketOwner> = {}) {
  const clock = createVirtualClock({ start: 1000 });
  const environment = { ...createNetwork({ clock }).environment('client'), clock };
  const settings = connectionSettings({ port: 1, environment, ...options }, environment);
  const transport = new FakeTransport();
  transport.eager = true;
  const pulse = new Pulse(settings);
  const facts: string[] = [];
  const told: string[] = [];
  const hooks = { onMessage: (_: string) => {}, endsLine: true };
  const owner: SocketOwner = {
    deliver: (message) => {
      told.push(`message ${message}`);
      hooks.onMessage(`${message}`);
    },
    heard: (bytes) => void told.push(`heard ${bytes}`),
    holds: (bytes) => void told.push(`holds ${bytes}`),
    flushed: (place) => void told.push(`flushed ${place}`),
    wrote: () => undefined,
    writable: () => void told.push('writable'),
    ended: (cutOff) => {
      told.push(`ended${cutOff ? ` ${cutOff.code}` : ''}`);
      return hooks.endsLine;
    },
    side: undefined,
    signOfLife: () => Buffer.alloc(0),
    lostWith: (error) => void told.push(`lost with ${error.code}`),
    ...session,
  };
  const report = (fact: SocketFact) =>
    void facts.push(
      `${fact.epoch} ${fact.type} ${'code' in fact ? fact.code : ''}`.trim() +
        ('fatal' in fact && fact.fatal ? ' for good' : ''),
    );
  const socket = new Socket(owner, transport, settings, pulse, clock, 7, report);
  return {
    clock,
    transport,
    pulse,
    facts,
    told,
    hooks,
    socket,
    /** Bytes come, given as hex. */
    hear: (hex: string) => socket.chunk(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
    /** What was written since the last call, as frames. */
    frames: () => {
      const frames = framesIn(transport.bytes);
      transport.writes.length = 0;
      return frames;
    },
  };
}
