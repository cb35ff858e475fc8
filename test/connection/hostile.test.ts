import { describe, expect, test } from 'vitest';
import { echo, journal, stage } from './stage.js';

describe('the other side', () => {
  const faults: [string, (s: ReturnType<typeof stage>) => void, string, string | undefined][] = [
    ['refused', ({ server }) => server.refuse(), 'CONNECT_FAILED', 'ECONNREFUSED'],
    ['not answered', ({ server }) => server.blackhole(), 'CONNECT_TIMEOUT', undefined],
    ['without a name', ({ network }) => network.setName('server', undefined), 'CONNECT_FAILED', 'ENOTFOUND'],
    ['accepted and dropped', ({ server }) => server.acceptAndDrop(), 'CLOSED_BY_PEER', undefined],
  ];
  test.each(faults)('a dial that is %s is retried', async (_, fault, code, cause) => {
    const at = stage();
    await at.serve(echo);
    fault(at);
    const connection = at.dial({ heartbeatInterval: 0 });
    const heard = journal(connection);
    let error: Error | undefined;
    connection.once('disconnected', (event) => {
      error = event.error;
    });
    await at.clock.runUntil(() => connection.epoch === 2);
    expect(heard.filter((line) => line.startsWith('disc'))).toEqual([`disconnected 1 ${code}`]);
    expect((error?.cause as NodeJS.ErrnoException | undefined)?.code).toBe(cause);
    await connection.dispose();
  });

  const garbage: [string, string, string, RegExp][] = [
    ['4 GiB', 'ff ff ff ff', 'FRAME_TOO_LARGE', /4294967295 bytes, the limit maxFrameLength is 8388608/],
    ['an HTTP answer', '48 54 54 50 2f 31 2e 31', 'FRAME_TOO_LARGE', /\("HTTP\/1.1"\)/],
  ];
  test.each(garbage)('a server that announces %s', async (_, bytes, code, message) => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    const heard = journal(connection);
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    server.last.say('before');
    server.last.hex(bytes);
    await clock.advance(5);
    expect(heard.at(-1)).toBe(`disconnected 1 ${code}`);
    expect(connection.reason?.message).toMatch(message);
    expect(`${connection.receive()}`).toBe('before');
    await connection.dispose();
  });

  const endings: [string, string, string][] = [
    ['between two frames', '00 00 00 01 61', 'CLOSED_BY_PEER'],
    ['in the middle of a frame', '00 00 00 01 61 00 00 00 02 62', 'TRUNCATED'],
    ['in the middle of a header', '00 00 00 01 61 00 00', 'TRUNCATED'],
  ];
  test.each(endings)('a FIN %s: what was whole is delivered', async (_, bytes, code) => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    const heard = journal(connection);
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    server.last.hex(bytes);
    server.last.end();
    await clock.advance(5);
    expect([heard.at(-1), `${connection.receive()}`]).toEqual([`disconnected 1 ${code}`, 'a']);
    await connection.dispose();
  });

  test('half a frame of a dead socket never reaches the next', async () => {
    const { clock, network, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    server.last.hex('00 00 00 05 68 65');
    await clock.advance(5);
    network.resetAll();
    await clock.runUntil(() => connection.epoch === 2 && connection.state === 'connected');
    await clock.advance(5);
    server.last.say('whole');
    await clock.advance(5);
    expect([`${connection.receive()}`, connection.receive(), connection.state]).toEqual([
      'whole',
      undefined,
      'connected',
    ]);
    await connection.dispose();
  });
});
