import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Program, suite } from './program.js';

async function run(...args: string[]): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const program = new Program(...args);
  const code = await program.end;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

suite('ninja-tcp, how it is called', () => {
  it('says its version, that of package.json', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('helps, as a whole and for each command', async () => {
    const all = await run('--help');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toContain('ninja-tcp connect HOST PORT [--stale-after MS] [--max-attempts N] [--json]');
    for (const [command, usage] of [
      ['echo', 'Usage: ninja-tcp echo [--port PORT] [--host HOST]\n'],
      ['connect', 'Usage: ninja-tcp connect HOST PORT [--stale-after MS] [--max-attempts N] [--json]\n'],
      ['demo', 'Usage: ninja-tcp demo [FILE] [--inspect] [--json]\n'],
      ['inspect', 'Usage: ninja-tcp inspect HOST:PORT [--port PORT] [--allow-control] [--stale-after MS]\n'],
      ['watch', 'Usage: ninja-tcp watch URL [NAME] [--once] [--json]\n'],
      ['export', 'Usage: ninja-tcp export [connection|peer|server|session] [--format FORMAT]\n'],
      ['replay', 'Usage: ninja-tcp replay FILE [--as-test] [--out FILE] [--json] [--step]\n'],
    ] as const) {
      const one = await run(command, '--help');
      expect(one).toMatchObject({ code: 0, stderr: '' });
      expect(one.stdout.startsWith(usage)).toBe(true);
    }
  });

  it.each([
    [[], 'a command is missing.'],
    [['dance'], "there is no command 'dance'."],
    [['--loud'], "there is no option '--loud'."],
    [['echo', '--loud'], "echo has no option '--loud'."],
    [['echo', '--toString'], "echo has no option '--toString'."],
    [['echo', 'twice'], "echo takes options only; 'twice' is too much."],
    [['echo', '--port'], '--port must be followed by PORT.'],
    [['echo', '--port', '65536'], "--port must be a whole number from 0 to 65535, got '65536'."],
    [['echo', '--port', '0x10'], "--port must be a whole number from 0 to 65535, got '0x10'."],
    [['echo', '--port='], "--port must be a whole number from 0 to 65535, got ''."],
    [['connect', 'localhost'], 'connect needs HOST and PORT.'],
    [['connect', 'localhost', '0'], "PORT must be a whole number from 1 to 65535, got '0'."],
    [['connect', '', '1'], "HOST must be a name or an address, got ''."],
    [
      ['connect', 'localhost', '1', '--stale-after', '49'],
      "--stale-after must be a whole number of ms from 50 to 2147483647, or 0 (off), got '49'.",
    ],
    [
      ['connect', 'localhost', '1', '--max-attempts=0'],
      "--max-attempts must be a whole number of failures from 1 to 2147483647, got '0'.",
    ],
    [['inspect'], 'inspect needs HOST:PORT.'],
    [['inspect', 'localhost'], "inspect needs HOST:PORT, with [ and ] around IPv6, got 'localhost'."],
    [['inspect', '::1:80'], "inspect needs HOST:PORT, with [ and ] around IPv6, got '::1:80'."],
    [['inspect', '[::1]:0'], "PORT must be a whole number from 1 to 65535, got '0'."],
    [['inspect', ':80'], "HOST must be a name or an address, got ''."],
    [['inspect', 'a:1', '--port', '65536'], "--port must be a whole number from 0 to 65535, got '65536'."],
    [['watch'], "watch needs URL, an inspector's address."],
    [
      ['watch', 'http://127.0.0.1:1/'],
      "URL must be an inspector's address, http://127.0.0.1:PORT/?token=TOKEN, got 'http://127.0.0.1:1/'.",
    ],
    [
      ['watch', 'ftp://a/?token=x'],
      "URL must be an inspector's address, http://127.0.0.1:PORT/?token=TOKEN, got 'ftp://a/?token=x'.",
    ],
    [['demo', '--json=yes'], "--json takes no value, got 'yes'."],
    [['export', 'socket'], "there is no statechart 'socket': connection, peer, server, session."],
    [['export', '--format', 'png'], "--format must be one of stately, json, mermaid, svg, got 'png'."],
    [['export', 'peer', 'server'], "export takes [connection|peer|server|session]; 'server' is too much."],
    [['demo', 'a', 'b'], "demo takes [FILE]; 'b' is too much."],
  ])('refuses %j in one sentence, with the usage', async (args, sentence) => {
    const { code, stdout, stderr } = await run(...args);
    expect(stderr.split('\n')[0]).toBe(`ninja-tcp: ${sentence}`);
    expect(stderr.split('\n')[1]).toMatch(/^Usage: ninja-tcp /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('prints a statechart through a pipe, whole', async () => {
    const { code, stdout, stderr } = await run('export', '--format', 'svg');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(readFileSync(new URL('../../docs/images/connection.svg', import.meta.url), 'utf8'));
  });

  it('says which file the demo cannot read', async () => {
    expect(await run('demo', '/nowhere/to/be/found')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/nowhere/to/be/found cannot be read: ENOENT'),
    });
  });
});
