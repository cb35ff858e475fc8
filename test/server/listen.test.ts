import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { listen } from '../../src/index.js';
import { codeOf, echo, PORT, stage } from '../connection/stage.js';
import { dialRaw } from './stage.js';

describe('listen()', () => {
  test('resolves when the port is bound, and says where', async () => {
    const at = stage();
    const server = await at.serve();
    expect([server.state, server.address(), server.name]).toEqual([
      'listening',
      { address: '::', port: PORT, family: 'IPv6' },
      `*:${PORT}`,
    ]);
    expect(await codeOf(server.listening())).toBe('nothing');
    await server.dispose();
  });

  test('port 0: the system chooses', async () => {
    const at = stage();
    const server = await at.serve(undefined, { port: 0, host: '127.0.0.1' });
    expect(server.address()?.port).toBeGreaterThan(1023);
    await server.dispose();
  });

  test('a port in use: LISTEN_FAILED, with the cause, and nothing is left', async () => {
    const at = stage();
    const first = await at.serve(echo);
    const failed = listen({ port: PORT, environment: at.server.environment() });
    await expect(at.clock.runUntil(failed)).rejects.toMatchObject({
      code: 'NINJA_LISTEN_FAILED',
      message: `listen EADDRINUSE: address already in use :::${PORT}`,
      cause: { code: 'EADDRINUSE' },
    });
    const client = await dialRaw(at);
    client.say('x');
    await at.clock.advance(5);
    expect(client.messages).toEqual(['x']);
    await first.dispose();
    await at.clock.advance(5);
    expect(at.clock.pending).toBe(0);
  });

  test('a listen that throws at once: LISTEN_FAILED', async () => {
    const at = stage();
    const environment = {
      ...at.server.environment(),
      listen() {
        throw new RangeError('no such port');
      },
    };
    expect(await codeOf(listen({ port: PORT, environment }))).toBe('LISTEN_FAILED');
  });

  test('bad options are refused', async () => {
    expect(await codeOf(listen({ port: -1 }))).toBe('INVALID_OPTION');
    expect(await codeOf(listen(undefined as never))).toBe('INVALID_OPTION');
  });

  test("the program's signal disposes it, and is let go at the end", async () => {
    const at = stage();
    const controller = new AbortController();
    const server = await at.serve(echo, { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    const client = await dialRaw(at);
    controller.abort();
    expect([server.state, server.peers.size]).toEqual(['disposed', 0]);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const fired = listen({ port: PORT, environment: at.server.environment(), signal: AbortSignal.abort() });
    expect(await codeOf(at.clock.runUntil(fired))).toBe('ABORTED');
    client.end();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test('a signal that is none is refused, and the port stays free', async () => {
    const at = stage();
    const signal = {} as AbortSignal;
    const made = listen({ port: PORT, environment: at.server.environment(), signal });
    expect(await codeOf(at.clock.runUntil(made))).toBe('INVALID_OPTION');
    await (await at.serve()).dispose();
  });
});
