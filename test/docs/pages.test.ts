import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectCommand } from '../../src/cli/connect.js';
import { demoCommand } from '../../src/cli/demo.js';
import { echoCommand } from '../../src/cli/echo.js';
import { exportCommand } from '../../src/cli/export.js';
import { inspectCommand } from '../../src/cli/inspect.js';
import { watchCommand } from '../../src/cli/watch.js';
import { errorTable } from '../../src/errors.js';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import {
  connectionNumbers,
  lineNumbers,
  serverNumbers,
  sessionNumbers,
  sessionServerNumbers,
  windowNumbers,
} from '../../src/options.js';
import { connectionSettings } from '../../src/settings.js';
import { nodeEnvironment } from '../../src/socket/node.js';
import { anchorOf, blocksOf, headingsOf, inlineCodeOf, linksOf, pages, prose, read } from './pages.js';
import { root } from './programs.js';

describe('generated parts', () => {
  const docs = (...args: string[]) =>
    spawnSync(process.execPath, [`${root}.config/docs.mjs`, ...args], { encoding: 'utf8' });

  test('are what the code says: else run `npm run docs`', () => {
    const { status, stderr } = docs('--check');
    expect([stderr, status]).toEqual(['', 0]);
  });

  test('every marker is closed, none is nested', () => {
    for (const page of pages) {
      const marks = [...read(page).matchAll(/<!-- (generated:|end)/g)].map(([, mark]) => mark);
      expect(marks, page).toEqual(marks.map((_, place) => (place % 2 === 0 ? 'generated:' : 'end')));
    }
  });
});

describe('links', () => {
  test.each(pages)('%s: every link leads somewhere', (page) => {
    const broken = linksOf(page).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(root + target)) return true;
      return anchor !== undefined && !headingsOf(target).map(anchorOf).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('every page can be reached from the README', () => {
    const reached = new Set<string>();
    const visit = (page: string): void => {
      if (reached.has(page)) return;
      reached.add(page);
      for (const link of linksOf(page)) {
        const target = normalize(join(dirname(page), link.split('#')[0] || '.'));
        if (pages.includes(target)) visit(target);
      }
    };
    visit('README.md');
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });
});

describe('words', () => {
  test('each page says at its top what it answers', () => {
    const silent = pages.filter((page) => !/^# .+\n\n(<!--.*-->\n\n)?[^#\n|`-]/.test(read(page)));
    expect(silent).toEqual([]);
  });

  test('no path of a machine, no host of a registry', () => {
    for (const page of pages) expect(read(page), page).not.toMatch(/\/(work|home|tmp|root)\/|registry\.(?!ts\b)/);
  });

  test('a block of code has a tag', () => {
    const bare = pages.flatMap(blocksOf).filter(({ tag }) => tag === '');
    expect(bare.map(({ name }) => name)).toEqual([]);
  });
});

describe('tables', () => {
  test('docs/errors.md has one heading for each code, in order, and no other of that kind', () => {
    expect(headingsOf('docs/errors.md').filter((heading) => heading.startsWith('NINJA_'))).toEqual(
      Object.keys(errorTable),
    );
  });

  test('docs/options.md has one row for each number, under its own heading', () => {
    const [, line = '', connection = '', server = ''] = prose('docs/options.md').split(/^## /m);
    const rowsOf = (part: string) => [...part.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rowsOf(line)).toEqual(expect.arrayContaining(Object.keys(lineNumbers)));
    expect(rowsOf(connection)).toEqual(
      expect.arrayContaining([...Object.keys(connectionNumbers), 'port', 'onConnect']),
    );
    expect(rowsOf(server)).toEqual(expect.arrayContaining([...Object.keys(serverNumbers), 'port', 'backlog']));
    const all = [line, connection, server].flatMap(rowsOf);
    for (const name of ['host', 'port', 'name', 'signal']) expect(all.filter((one) => one === name)).toHaveLength(2);
  });

  test('docs/options.md tells the defaults that hold', () => {
    const text = read('docs/options.md');
    for (const [name, rule] of Object.entries({ ...lineNumbers, ...connectionNumbers, ...serverNumbers })) {
      const row = new RegExp(`^\\| \`${name}\` \\| (.+?) \\| ${rule.unit} \\|`, 'm').exec(text)?.[1];
      const value: number | undefined = rule.default;
      if (value === undefined) expect(row, name).toMatch(/\d/);
      else if (row?.endsWith('MiB')) expect(Number.parseInt(row, 10) * 2 ** 20, name).toBe(value);
      else if (row?.endsWith('KiB')) expect(Number.parseInt(row, 10) * 2 ** 10, name).toBe(value);
      else expect(Number.parseFloat(row?.replace('Infinity', '1e999') ?? ''), name).toBe(value);
    }
  });

  test('docs/limits.md has every number', () => {
    const named = [...read('docs/limits.md').matchAll(/<!-- default: ([\w.]+) -->/g)].map(([, name]) => name as string);
    const window = Object.keys(windowNumbers).map((name) => `window.${name}`);
    const sessions = Object.keys({ ...sessionNumbers, ...sessionServerNumbers });
    const all = [...Object.keys({ ...lineNumbers, ...connectionNumbers, ...serverNumbers }), ...sessions, ...window];
    // Not limits: how often we speak, and how long a line has to live to be called good.
    expect([...named].sort()).toEqual(
      all.filter((name) => !['heartbeatInterval', 'stableAfter'].includes(name)).sort(),
    );
  });

  test('every error code that a page names exists', () => {
    const codes = new Set(Object.keys(errorTable));
    for (const page of pages) {
      const named = [...read(page).matchAll(/NINJA_[A-Z_]*[A-Z]/g)].map(([code]) => code);
      expect(
        named.filter((code) => !codes.has(code)),
        page,
      ).toEqual([]);
    }
  });
});

describe('what is shown in passing', () => {
  /** The framing of an expression such as `lengthPrefixed({ bytes: 2 })`. */
  const framingOf = (expression: string) => new Function('lengthPrefixed', `return ${expression}`)(lengthPrefixed);

  test('the bytes of docs/framing.md are the bytes on the wire', () => {
    const lines = read('docs/framing.md').matchAll(/^(lengthPrefixed\(.*?\)) +send\('(\w+)'\) +→ +([0-9a-f ]+)$/gm);
    const shown = [...lines].map(([, expression = '', message = '', bytes = '']) => {
      const framing = framingOf(expression);
      const frame = Buffer.alloc(framing.headerLength + message.length, message, 'utf8');
      frame.write(message, framing.headerLength);
      framing.writeHeader(frame, 0, message.length);
      return [expression, frame.toString('hex'), bytes.replaceAll(' ', '')];
    });
    expect(shown).toHaveLength(5);
    for (const [expression, made, told] of shown) expect(made, expression).toBe(told);
  });

  test('every lengthPrefixed({ … }) is one that exists', () => {
    const codes = pages.flatMap(inlineCodeOf).filter((code) => /^lengthPrefixed\(\{.*: .*\}\)$/.test(code));
    expect(codes.length).toBeGreaterThan(3);
    for (const code of codes) expect(framingOf(code).headerLength, code).toBeGreaterThan(0);
  });

  test('options that are recommended together are accepted together', () => {
    const value = String.raw`(?:\d+|'\w+'|true|false)`;
    const settings = new RegExp(`^\\w+: ${value}(?:, \\w+: ${value})+$`);
    const codes = pages.flatMap(inlineCodeOf).filter((code) => settings.test(code));
    expect(codes.length).toBeGreaterThan(3);
    for (const code of codes) {
      const given = new Function(`return { ${code} }`)();
      const chosen = connectionSettings({ port: 1, ...given }, nodeEnvironment);
      expect(chosen, code).toMatchObject(given);
    }
  });

  test('the command line has the options that the README names', () => {
    const known = [echoCommand, connectCommand, demoCommand, exportCommand, inspectCommand, watchCommand].flatMap(
      ({ options }) => Object.keys(options),
    );
    const named = [...read('README.md').matchAll(/(?<=[ (])(?<!node )--([a-z][a-z-]+)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((name) => ![...known, 'help', 'version'].includes(name as string))).toEqual([]);
  });
});
