import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { cut, harmless, widthOf, wrap } from '../../src/cli/ansi.js';
import { Paper } from '../../src/cli/paper.js';
import { bar, colourOf, stateBoxes, stateRow } from '../../src/cli/picture.js';
import { Screen } from '../../src/cli/screen.js';
import { charts } from '../../src/inspector/charts.js';

/** A terminal that writes down what it is told. */
class Terminal extends EventEmitter {
  readonly isTTY = true;
  told = '';

  constructor(
    public columns = 80,
    public rows = 24,
  ) {
    super();
  }

  write(text: string): boolean {
    this.told += text;
    return true;
  }

  /** As a Paper or a Screen takes it. */
  get stream(): NodeJS.WritableStream {
    return this as unknown as NodeJS.WritableStream;
  }
}

const plain = { style: (_: unknown, text: string) => text };
/** Styles are written out: `<bold,green ● live>`. */
const marked = { style: (style: unknown, text: string) => `<${style} ${text}>` };

describe('the states in a row', () => {
  test.each([
    ['connection', 'connected.live', '○ disconnected ○ connecting ● connected (live) ○ stale ○ disposed'],
    ['connection', 'disconnected.waiting', '● disconnected (waiting) ○ connecting ○ connected ○ stale ○ disposed'],
    ['connection', 'stale', '○ disconnected ○ connecting ○ connected ● stale ○ disposed'],
    ['peer', 'disposed', '○ connected ○ stale ○ detached ● disposed'],
  ] as const)('of a %s that is %s', (kind, place, row) => {
    expect(stateRow(charts[kind], place, plain)).toBe(row);
  });

  test('the lit one is bright, the others are dim', () => {
    expect(stateRow(charts.peer, 'stale', marked)).toBe(
      '<dim ○ connected> <bold,red ● stale> <dim ○ detached> <dim ○ disposed>',
    );
  });
});

describe('the states in boxes', () => {
  test('side by side, the lit one thick', () => {
    expect(stateBoxes(charts.connection, 'connected.live', 79, plain)).toEqual([
      '╭ disconnected ╮ ╭ connecting ╮ ┏ connected ━┓ ╭ stale ╮ ╭ disposed ╮',
      '│ idle         │ │ dialing    │ ┃ unproven   ┃ │       │ │          │',
      '│ waiting      │ │ greeting   │ ┃ ● live     ┃ │       │ │          │',
      '│ failed       │ │            │ ┃ draining   ┃ │       │ │          │',
      '╰──────────────╯ ╰────────────╯ ┗━━━━━━━━━━━━┛ ╰───────╯ ╰──────────╯',
    ]);
  });

  test('one under the other where they do not fit', () => {
    const rows = stateBoxes(charts.connection, 'disconnected.waiting', 60, plain);
    expect(rows).toEqual([
      '● disconnected  idle ● waiting failed',
      '○ connecting    dialing greeting',
      '○ connected     unproven live draining',
      '○ stale',
      '○ disposed',
    ]);
  });

  test.each(['connection', 'peer', 'server'] as const)(
    'every place of a %s is lit once, and all lines are as wide',
    (kind) => {
      for (const { place } of charts[kind].nodes) {
        if (place === undefined) continue;
        for (const width of [200, 30]) {
          const lines = stateBoxes(charts[kind], place, width, plain);
          const lit = lines.join('\n').match(/[●┏]/g) ?? [];
          expect(lit, place).toHaveLength(place.includes('.') ? 2 : 1);
          if (width === 200) expect(new Set(lines.map(widthOf)).size, place).toBe(1);
        }
      }
    },
  );

  test.each([
    ['connected.live', 'green'],
    ['listening', 'green'],
    ['stale', 'red'],
    ['disconnected.failed', 'red'],
    ['disconnected.waiting', 'yellow'],
    ['connecting.dialing', 'yellow'],
    ['detached.waiting', 'yellow'],
    ['disposed', 'cyan'],
  ])('%s is %s', (place, colour) => {
    expect(colourOf(place)).toBe(colour);
  });
});

test.each([
  [0, '░░░░'],
  [0.5, '██░░'],
  [1, '████'],
  [-1, '░░░░'],
  [9, '████'],
])('a bar of %f', (share, drawn) => {
  expect(bar(share, 4)).toBe(drawn);
});

describe('text for terminals', () => {
  test.each([
    ['abcdef', 3, 'abc'],
    ['abc', 3, 'abc'],
    ['abc', 0, ''],
    ['\x1b[31mabcdef\x1b[39m', 3, '\x1b[31mabc\x1b[39m'],
    ['ab\x1b[1mcd\x1b[22mef', 3, 'ab\x1b[1mc\x1b[22m'],
    ['●●●●', 2, '●●'],
  ])('%j cut to %i columns', (text, width, kept) => {
    expect(cut(text, width)).toBe(kept);
    expect(widthOf(cut(text, width))).toBeLessThanOrEqual(width);
  });

  test.each([
    ['one two three', 7, ['one two', 'three']],
    ['one two', 20, ['one two']],
    ['overlong', 3, ['ove', 'rlo', 'ng']],
  ])('%j in lines of %i', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines);
  });

  test('what somebody else wrote does not move the cursor', () => {
    expect(harmless('till\x1b[2J 7\r\n\x9b1m')).toBe('till·[2J 7···1m');
  });
});

describe('the lines at the bottom of a paper', () => {
  test('are wiped before each other line, and come again behind it', () => {
    const terminal = new Terminal(12);
    const paper = new Paper(terminal.stream);
    paper.progress('one', 'two is too long');
    paper.line('said');
    paper.progress();
    expect(terminal.told.split('\x1b').join('^')).toBe(
      ['one\ntwo is too ', '\r^[2K^[1A^[2Ksaid\none\ntwo is too ', '\r^[2K^[1A^[2K'].join(''),
    );
  });

  test('are not there where it is no terminal', () => {
    const terminal = Object.assign(new Terminal(), { isTTY: false });
    const paper = new Paper(terminal.stream);
    paper.progress('one');
    paper.line('said');
    expect(terminal.told).toBe('said\n');
  });
});

describe('a screen', () => {
  const shown = (terminal: Terminal) => terminal.told.split('\x1b').join('^');

  test('takes the terminal, fits into it, and gives it back', () => {
    const terminal = new Terminal(5, 2);
    const screen = new Screen(terminal.stream);
    screen.draw(['abcdef', 'b', 'c']);
    screen.draw(['abcdef', 'b', 'c']);
    screen.end();
    screen.end();
    expect(shown(terminal)).toBe('^[?1049h^[?25l^[Habcd^[K\r\nb^[K^[J^[?25h^[?1049l');
    expect(terminal.listenerCount('resize')).toBe(0);
  });

  test('is drawn in its new size, also where nothing else changed', () => {
    const terminal = new Terminal(5, 2);
    const screen = new Screen(terminal.stream);
    screen.draw(['ab']);
    terminal.told = '';
    terminal.emit('resize');
    screen.draw(['ab']);
    expect(shown(terminal)).toBe('^[Hab^[K^[J');
    terminal.told = '';
    terminal.columns = 2;
    screen.draw(['ab']);
    expect(shown(terminal)).toBe('^[Ha^[K^[J');
    screen.end();
  });

  test('that was never drawn leaves the terminal alone', () => {
    const terminal = new Terminal();
    new Screen(terminal.stream).end();
    expect(terminal.told).toBe('');
  });
});
