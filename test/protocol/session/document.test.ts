// docs/protocol.md, as somebody reads it who writes a peer: what it draws, what it says of MACs, codes and limits. That its
// generated parts are up to date is for test/docs/pages.test.ts.
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decode, encode, readDataHead } from '../../../src/protocol/session/frames.js';
import { seal } from '../../../src/protocol/session/keys.js';
import {
  DATA,
  DATA_HEAD,
  type FrameOf,
  layouts,
  MAX_HANDSHAKE,
  type RefusalCode,
  refusalCodes,
} from '../../../src/protocol/session/layouts.js';
import { read } from '../../docs/pages.js';
import { bytes, crypto, Stage, Wire } from './stage.js';
import vectors from './vectors.json' with { type: 'json' };

const page = read('docs/protocol.md');
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
const names = [...Object.keys(layouts), 'DATA'];

/** The part of the page below a heading, to the next one of the same kind or a higher one. */
function section(heading: string): string {
  const mark = /^#+/.exec(heading)?.[0] as string;
  const [, from = ''] = page.split(new RegExp(`^${heading}$`, 'm'));
  return from.split(new RegExp(`^#{1,${mark.length}} `, 'm'))[0] as string;
}

/** The cells of a table in a section. */
const rowsOf = (text: string): string[][] =>
  [...text.matchAll(/^ *\| (.+) \|$/gm)].map(([, row]) => (row as string).split(' | ')).slice(2);

describe('docs/protocol.md', () => {
  test.each(vectors.frames.map((vector) => [`${vector.name}: ${vector.what}`, vector.hex] as const))(
    'has the vector of %s',
    (title, hex) => {
      const [, after = ''] = section('## Vectors').split(`\n${title}\n`);
      expect(bytesOf(after.split('\n\n')[0] as string).toString('hex')).toBe(hex);
    },
  );

  test.each(vectors.data)('has the vector of a message: $what', ({ what, number, hex }) => {
    const [, after = ''] = section('## Vectors').split(`\nDATA, number ${number}: ${what}\n`);
    expect(bytesOf(after.split(/\n\n|\n```/)[0] as string).toString('hex')).toBe(hex);
  });

  test.each(names)('draws %s, each byte at its place, as a vector has it', (name) => {
    const rows = [...section(`### ${name}`).matchAll(/^( {3}|[ \d]{3}) {2}((?:[0-9a-f]{2} ?)+)(?: |$)/gm)];
    const [[, , length = ''] = [], ...parts] = rows;
    let frame = Buffer.alloc(0);
    for (const [, at = '', hex = ''] of parts) {
      if (at.trim() !== '') expect(Number(at)).toBe(frame.length);
      frame = Buffer.concat([frame, bytesOf(hex)]);
    }
    expect(bytesOf(length).readUInt32BE()).toBe(frame.length);
    const known = name === 'DATA' ? vectors.data : vectors.frames.filter((vector) => vector.name === name);
    expect(known.map(({ hex }) => hex)).toContain(frame.toString('hex'));
  });

  test.each([
    'A fresh session',
    'A break, and a resume',
    'Goodbye',
    'A refusal that is believed',
    'A refusal that is not',
  ])('shows frames as they are, with their lengths: %s', (title) => {
    const steps = section(`### ${title}`)
      .split(/^ ?\d+\. (?:client|server) → (?:client|server) {2}/m)
      .slice(1);
    expect(steps.length).toBeGreaterThan(1);
    for (const step of steps) {
      const [head = '', length = '', ...rest] = step.split('\n');
      const hex = rest
        .slice(
          0,
          rest.findIndex((line) => !/^ {6}[0-9a-f]/.test(line)),
        )
        .join('');
      const frame = bytesOf(hex);
      expect([head, bytesOf(length).readUInt32BE()]).toEqual([head, frame.length]);
      const name = /^\w+/.exec(head)?.[0];
      if (frame[0] !== DATA) expect(decode(frame).name).toBe(name);
      else expect(`DATA, seq ${readDataHead(frame)}: "${frame.toString('utf8', DATA_HEAD)}"`).toBe(head.split('  ')[0]);
    }
  });

  test('says what a MAC is over: computed by its words, it is that of the vectors', () => {
    const rows = rowsOf(section('### MACs'));
    expect(rows.map(([name]) => name)).toEqual(['RESUME', 'RESUMED', 'REFUSED']);
    for (const [name, over = ''] of rows) {
      const sealed = vectors.frames.filter((vector) => vector.name === name && vector.mac);
      expect(sealed.length).toBeGreaterThan(0);
      for (const { hex } of sealed) {
        const frame = bytesOf(hex);
        const hmac = createHmac('sha256', bytesOf(vectors.keys.secret));
        for (const part of over.split(', ')) {
          if (part.startsWith('`NTS')) hmac.update(part.replaceAll('`', ''));
          else if (part === '`sessionId`') hmac.update(bytesOf(vectors.keys.sessionId));
          else if (part === '`nonce` of the RESUME') hmac.update(bytesOf(vectors.keys.nonce));
          else if (part === 'all bytes of the frame before the MAC') hmac.update(frame.subarray(0, -32));
          else expect.unreachable(`nobody can compute "${part}"`);
        }
        expect(hmac.digest('hex')).toBe(frame.subarray(-32).toString('hex'));
      }
    }
  });

  test('names the limits that hold', () => {
    const thousands = new Intl.NumberFormat('en').format(MAX_HANDSHAKE);
    expect(section('## Frames')).toContain(`HELLO and RESUME are at most ${thousands} bytes long`);
    expect(section('## Limits')).toContain(`within ${thousands} bytes`);
  });
});

describe('the codes of docs/protocol.md', () => {
  const rows = rowsOf(section('## Refusals'))
    .filter(([code = '']) => /^\d+$/.test(code))
    .map(([code, name = '', when = '']) => [name.replaceAll('`', '') as RefusalCode, Number(code), when] as const);

  test('are those of the core', () => {
    expect(Object.fromEntries(rows)).toEqual(refusalCodes);
  });

  test.each(rows)('%s is for good, or not now, as it says', (name, code, when) => {
    const good = when.endsWith('For good.') || when.includes('For good, but');
    expect(good).toBe(!when.endsWith('Not now.'));
    // As a server writes it.
    const asked = new Stage();
    const wire = new Wire();
    asked.registry.refuse(wire, name, { nonce: Buffer.alloc(16) });
    expect((decode(wire.written[0] as Buffer) as FrameOf<'REFUSED'>).retryable).toBe(good ? 0 : 1);
    // As a client takes it, where its sender is believed.
    const stage = new Stage();
    const line = stage.dial();
    stage.client.send(bytes('a'));
    stage.cut(line);
    const near = new Wire();
    stage.client.open(near, [], 0);
    const { nonce } = decode(near.written[0] as Buffer) as FrameOf<'RESUME'>;
    const { keys } = stage.session as unknown as { keys: { sessionId: Uint8Array; secret: Uint8Array } };
    const fields = { code, retryable: good ? 0 : 1, retryAfterMs: 0, lastHandled: 0, nonce };
    stage.client.receive(near, seal(crypto, 'REFUSED', keys, nonce, encode('REFUSED', fields)), 0);
    expect(stage.client.state).toBe(good ? 'ended' : 'detached');
  });
});
