import {
  createBrowserInspector,
  createBrowserReceiver,
  createInspector,
  type StatelyInspectionEvent,
} from '@statelyai/inspect';
import { describe, expect, test, vi } from 'vitest';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { Inspector } from '../../src/index.js';
import { collect, echo, firstPeer, stage } from '../connection/stage.js';
import { dialRaw } from '../server/stage.js';

/** Whether the system of an actor has any observer: only then it looks into what it is to tell. */
function isInspected(actor: AnyActorRef): boolean {
  let looked = false;
  const event = {
    get type() {
      looked = true;
      return '@xstate.event';
    },
  };
  (actor.system as unknown as { _sendInspectionEvent(event: unknown): void })._sendInspectionEvent(event);
  return looked;
}

const sentence = (event: InspectionEvent): string => {
  const { type } = event;
  const actorRef = event.actorRef as AnyActorRef & { readonly logic: { readonly id?: string } };
  const id = actorRef.id.startsWith('x:') ? actorRef.logic.id : actorRef.id;
  return `${type.replace('@xstate.', '')} ${id}${type === '@xstate.event' ? ` ${event.event.type}` : ''}`;
};

/** What an inspector hears of actors, events and snapshots, as `event connection connect`. */
function listener() {
  const heard: string[] = [];
  return {
    heard,
    inspector: (event: InspectionEvent) => {
      if (/actor|event|snapshot/.test(event.type)) heard.push(sentence(event));
    },
  };
}

async function alive() {
  const at = stage();
  const received: string[] = [];
  const server = await at.serve(collect(received));
  const connection = at.dial();
  await at.clock.runUntil(connection.connected({ proven: true }));
  const end = async () => {
    await at.clock.runUntil(Promise.all([connection.dispose(), server.dispose()]));
  };
  return { at, server, connection, received, end };
}

describe('nobody looks', () => {
  test('no inspection observer is registered, of connection, server or peer', async () => {
    const { server, connection, end } = await alive();
    expect([connection, server, firstPeer(server)].map(({ actor }) => isInspected(actor))).toEqual([
      false,
      false,
      false,
    ]);
    await end();
  });

  test('nor is one left when the last one is gone', async () => {
    const { connection, end } = await alive();
    const { unsubscribe } = connection.inspect(() => {});
    expect(isInspected(connection.actor)).toBe(true);
    unsubscribe();
    unsubscribe();
    expect(isInspected(connection.actor)).toBe(false);
    await end();
  });
});

describe('connection.inspect()', () => {
  test('first tells the statechart and its socket as they stand, then what happens', async () => {
    const { connection, end } = await alive();
    const { heard, inspector } = listener();
    const { unsubscribe } = connection.inspect(inspector);
    expect(heard).toEqual(['actor connection', 'snapshot connection', 'actor socket-1', 'snapshot socket-1']);
    heard.length = 0;
    connection.reconnectNow();
    expect(heard).toContain('event connection reconnectNow');
    expect(heard).toContain('actor socket-2');
    unsubscribe();
    heard.length = 0;
    connection.disconnect();
    expect(heard).toEqual([]);
    await end();
  });

  const forms: [string, (inspector: (event: InspectionEvent) => void) => Inspector][] = [
    ['a function', (inspector) => inspector],
    ['an observer', (inspector) => ({ next: inspector })],
    ['an object with `inspect`, a function', (inspector) => ({ inspect: inspector })],
    ['an object with `inspect`, an observer', (inspector) => ({ inspect: { next: inspector } })],
  ];
  test.each(forms)('takes %s; so does the option', async (_, make) => {
    const { at, connection, end } = await alive();
    const { heard, inspector } = listener();
    connection.inspect(make(inspector)).unsubscribe();
    expect(heard).toHaveLength(4);
    heard.length = 0;
    const other = at.dial({ inspect: make(inspector) });
    expect(heard.slice(0, 4)).toEqual([
      'actor connection',
      'event connection xstate.init',
      'snapshot connection',
      'event connection connect',
    ]);
    await other.dispose();
    await end();
  });

  test.each([[1], ['url'], [null], [{}], [{ next: 1 }], [{ inspect: {} }]])('refuses %j', async (wrong) => {
    const { at, connection, server, end } = await alive();
    for (const doing of [
      () => connection.inspect(wrong as never),
      () => firstPeer(server).inspect(wrong as never),
      () => server.inspect(wrong as never),
      () => at.dial({ inspect: wrong as never }),
    ]) {
      expect(doing).toThrow('must be an XState inspector');
    }
    await end();
  });
});

describe('peers and servers', () => {
  test('peer.inspect() wakes its statechart, and tells how it stands', async () => {
    const { server, end } = await alive();
    const { heard, inspector } = listener();
    firstPeer(server).inspect(inspector);
    expect(heard).toEqual(['actor peer', 'snapshot peer', 'actor socket-1', 'snapshot socket-1']);
    await end();
    expect(heard).toContain('event peer dispose');
  });

  test('server.inspect() tells of the server alone', async () => {
    const { at, server, end } = await alive();
    const { heard, inspector } = listener();
    server.inspect(inspector);
    await dialRaw(at);
    await end();
    expect(heard.slice(0, 2)).toEqual(['actor server', 'snapshot server']);
    expect(heard.filter((words) => words.includes('peer') && !words.includes('peers.gone'))).toEqual([]);
  });

  test('listen({ inspect }) tells of the server from the first, and of every peer', async () => {
    const at = stage();
    const { heard, inspector } = listener();
    const server = await at.serve(echo, { inspect: inspector });
    expect(heard.slice(0, 2)).toEqual(['actor server', 'event server xstate.init']);
    const client = await dialRaw(at);
    client.say('hello');
    await at.clock.advance(5);
    expect(heard).toEqual(expect.arrayContaining(['actor peer', 'actor socket-1', 'event peer socket.heard']));
    expect(client.messages).toEqual(['hello']);
    client.transport.destroy();
    await at.clock.runUntil(server.dispose());
  });
});

describe('an inspector that throws', () => {
  const faults: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('oops');
      },
    ],
    ['rejects', () => Promise.reject(new Error('oops'))],
  ];
  test.each(faults)('%s: is detached, warned of once, and harms nothing', async (_, fault) => {
    const { at, connection, received, end } = await alive();
    let calls = 0;
    const { heard, inspector } = listener();
    connection.inspect(() => {
      calls += 1;
      if (calls > 4) return fault();
      return undefined;
    });
    connection.inspect(inspector);
    connection.reconnectNow();
    await at.clock.runUntil(connection.connected({ proven: true }));
    connection.send('after');
    await at.clock.advance(10);
    expect(received).toEqual(['after']);
    expect(at.network.warnings.map(({ message }) => message)).toEqual(['an inspector threw, and is detached: oops']);
    expect(heard).toContain('actor socket-2');
    await end();
  });

  test('at its first event: as an option, and attached', async () => {
    const at = stage();
    const thrower = () => {
      throw new Error('oops');
    };
    const server = await at.serve(echo, { inspect: thrower });
    const connection = at.dial({ inspect: thrower });
    await at.clock.runUntil(connection.connected({ proven: true }));
    connection.inspect(thrower);
    expect([connection, server, firstPeer(server)].map(({ actor }) => isInspected(actor))).toEqual([
      false,
      false,
      false,
    ]);
    expect(at.network.warnings).toHaveLength(4);
    await at.clock.runUntil(Promise.all([connection.dispose(), server.dispose()]));
  });
});

describe('@statelyai/inspect', () => {
  test('createInspector(): definition, snapshots and events, with the context but not our hands', async () => {
    const { at, connection, end } = await alive();
    const sent: StatelyInspectionEvent[] = [];
    connection.inspect(createInspector({ send: (event) => void sent.push(event) }));
    connection.reconnectNow();
    await at.clock.runUntil(connection.connected({ proven: true }));
    await vi.waitFor(() => expect(JSON.stringify(sent.at(-1))).toContain('"line":"live"'), 10_000);
    const actor = sent.find((event) => event.type === '@xstate.actor');
    expect(actor).toMatchObject({ name: 'connection', sessionId: connection.actor.sessionId });
    const { states } = JSON.parse((actor as { definition: string }).definition) as { states: object };
    expect(Object.keys(states).sort()).toEqual(['connected', 'connecting', 'disconnected', 'disposed', 'stale']);
    const snapshots = sent.filter((event) => event.type === '@xstate.snapshot');
    const last = snapshots.at(-1)?.snapshot as unknown as { value: unknown; context: { epoch: number } };
    expect(last.value).toEqual({ connected: { line: 'live', watch: 'listening' } });
    expect(last.context).toMatchObject({ epoch: 2 });
    expect(last.context).not.toHaveProperty('ports');
    await end();
  });

  test('createBrowserInspector(): what it sends is what its own receiver takes', async () => {
    const program = fakeWindow();
    const page = fakeWindow();
    program.open = () => page;
    page.opener = program;
    const { connection, end } = await alive();
    connection.inspect(createBrowserInspector({ window: program as never }));
    const received: StatelyInspectionEvent[] = [];
    createBrowserReceiver({ window: page as never }).subscribe((event) => void received.push(event));
    connection.disconnect();
    await vi.waitFor(() => expect(received.map(({ type }) => type)).toContain('@xstate.event'), 10_000);
    // What was told before the page was there is told when it is.
    expect(received.slice(0, 4).map(({ type }) => type)).toEqual([
      '@xstate.actor',
      '@xstate.snapshot',
      '@xstate.actor',
      '@xstate.snapshot',
    ]);
    const event = received.find(({ type }) => type === '@xstate.event');
    expect(event).toMatchObject({ event: { type: 'disconnect' }, sessionId: connection.actor.sessionId });
    await end();
  });
});

interface FakeWindow {
  self: FakeWindow;
  top: FakeWindow;
  opener: FakeWindow | undefined;
  open: () => FakeWindow | undefined;
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void;
  postMessage(data: unknown): void;
}

/** As much of a window as the inspector and its receiver use. */
function fakeWindow(): FakeWindow {
  const listeners: ((event: { data: unknown }) => void)[] = [];
  const one = {
    opener: undefined as FakeWindow | undefined,
    open: (): FakeWindow | undefined => undefined,
    addEventListener: (_: string, listener: (event: { data: unknown }) => void) => void listeners.push(listener),
    postMessage: (data: unknown) => {
      const copy = structuredClone(data);
      // As between pages: behind what runs.
      queueMicrotask(() => {
        for (const listener of listeners) listener({ data: copy });
      });
    },
  };
  return Object.assign(one, { self: one as FakeWindow, top: one as FakeWindow });
}
