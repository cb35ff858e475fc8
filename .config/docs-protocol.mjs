// The parts of docs/protocol.md: frames drawn from their layouts and from the vectors that the tests share, codes, and
// conversations that the core itself holds here.
import { readFileSync } from 'node:fs';
import { conversations, hexOf, linesOf } from './docs-conversations.mjs';
import { loadWithImports, membersOf, root, rowWordsOf } from './docs-source.mjs';
import { table } from './docs-tables.mjs';

const LAYOUTS = 'src/protocol/session/layouts.ts';
const VECTORS = 'test/protocol/session/vectors.json';

/** Who writes a frame, and what it says, in a few words. */
const SAYS = {
  HELLO: ['client', 'a new session, please'],
  WELCOME: ['server', 'here it is'],
  RESUME: ['client', 'this session, please, over this socket'],
  RESUMED: ['server', 'go on'],
  REFUSED: ['server', 'no'],
  DATA: ['both', 'a message'],
  ACK: ['both', 'everything below this number is handled'],
  PING: ['both', 'are you there?'],
  PONG: ['both', 'yes'],
  DRAIN: ['both', 'I am about to leave'],
  BYE: ['both', 'all of mine is handled, and no more will come'],
  BYE_OK: ['both', 'all of mine is handled too: it is over'],
};

/** The vector that is drawn, where there are several. */
const DRAWN = {
  HELLO: 'a session, please, with a token of the application',
  RESUME: 'go on, with numbers beyond 32 bits and a token',
  REFUSED: 'expired, and how far it came',
  BYE: 'no more',
};

const sizes = { magic: 4, u8: 1, u32: 4, u64: 8, bytes16: 16, bytes32: 32 };
const kinds = { magic: '4 bytes', bytes16: '16 bytes', bytes32: '32 bytes' };
const MAC = 32;

const headOf = ({ fields }) => 2 + fields.reduce((sum, [, kind]) => sum + sizes[kind], 0);

const lengthOf = (length) => Buffer.from([length >>> 24, length >>> 16, length >>> 8, length].map((one) => one & 255));
const text = (bytes) => JSON.stringify(Buffer.from(bytes).toString());

function shownAs(kind, bytes) {
  if (kind === 'magic') return text(bytes);
  if (kind.startsWith('bytes')) return '';
  return String(bytes.reduce((sum, one) => sum * 256 + one, 0));
}

/** `[offset, bytes, words]` of every part of a frame. */
function partsOf(name, { type, fields, tlvs, mac }, bytes, hasMac) {
  const parts = [
    [0, bytes.subarray(0, 1), `type: ${name}`],
    [1, bytes.subarray(1, 2), 'flags'],
  ];
  if (bytes[0] !== type) throw new Error(`the vector of ${name} is one of another frame`);
  let at = 2;
  for (const [field, kind] of fields) {
    const part = bytes.subarray(at, at + sizes[kind]);
    parts.push([at, part, [field, shownAs(kind, part)].filter(Boolean).join(': ')]);
    at += part.length;
  }
  const end = bytes.length - (mac && hasMac ? MAC : 0);
  while (tlvs && at < end) {
    const length = bytes.readUInt16BE(at + 2);
    const part = bytes.subarray(at, at + 4 + length);
    parts.push([
      at,
      part,
      `TLV 0x${hexOf(part.subarray(0, 2)).replace(' ', '')}, ${length} bytes: ${text(part.subarray(4))}`,
    ]);
    at += part.length;
  }
  if (end < bytes.length) parts.push([end, bytes.subarray(end), 'MAC']);
  return parts;
}

function draw(parts, length) {
  const rows = [
    ['at', 'bytes', ''],
    ['', hexOf(lengthOf(length)), `the length of what follows: ${length}`],
    ...parts.flatMap(([at, bytes, words]) =>
      linesOf(bytes, 16).map((line, place) => (place === 0 ? [String(at), line, words] : ['', line, ''])),
    ),
  ];
  const lines = rows.map(([at, bytes, words]) => `${at.padStart(3)}  ${bytes.padEnd(47)}  ${words}`.trimEnd());
  return ['```text', ...lines, '```'].join('\n');
}

function fieldTable(name, layout) {
  const words = rowWordsOf(LAYOUTS, 'layouts', name);
  const rows = layout.fields.map(([field, kind, least]) => [
    `\`${field}\``,
    `${kinds[kind] ?? kind}${least === undefined ? '' : `, from ${least}`}`,
    words.get(field),
  ]);
  if (layout.tlvs)
    rows.push(['TLVs', 'type u16, length u16, value', 'Any number of them, up to the end of the frame or to its MAC.']);
  if (layout.mac) {
    const may = layout.mac === 'may' ? ' Only where the session is known; else the frame ends before it.' : '';
    rows.push(['MAC', '32 bytes', `See [MACs](#macs).${may}`]);
  }
  return table(['Field', 'Kind', 'What it says'], rows);
}

function frameParts({ layouts }, vectors) {
  return Object.fromEntries(
    Object.entries(layouts).map(([name, layout]) => {
      const all = vectors.frames.filter((one) => one.name === name);
      const drawn = DRAWN[name] ? all.find(({ what }) => what === DRAWN[name]) : all[0];
      const bytes = Buffer.from(drawn.hex, 'hex');
      const fields = layout.fields.length > 0 ? ['', fieldTable(name, layout)] : [];
      return [`frame ${name}`, [draw(partsOf(name, layout, bytes, drawn.mac), bytes.length), ...fields].join('\n')];
    }),
  );
}

function dataFrame({ DATA_HEAD }, vectors) {
  const bytes = Buffer.from(vectors.data[0].hex, 'hex');
  return draw(
    [
      [0, bytes.subarray(0, 1), 'type: DATA'],
      [1, bytes.subarray(1, 2), 'flags'],
      [2, bytes.subarray(2, DATA_HEAD), `seq: ${bytes.readUInt32BE(2)}`],
      [DATA_HEAD, bytes.subarray(DATA_HEAD), `the message: ${text(bytes.subarray(DATA_HEAD))}`],
    ],
    bytes.length,
  );
}

function overview({ layouts, DATA, DATA_HEAD }) {
  const bytes = ({ tlvs, mac, ...layout }) => {
    const head = headOf(layout);
    if (mac === 'may') return `${head} or ${head + MAC}`;
    return tlvs ? `${head + (mac ? MAC : 0)}, and TLVs` : String(head + (mac ? MAC : 0));
  };
  const rows = [
    ...Object.entries(layouts).map(([name, layout]) => [layout.type, name, bytes(layout)]),
    [DATA, 'DATA', `${DATA_HEAD}, and the message`],
  ].sort(([a], [b]) => a - b);
  return table(
    ['Type', 'Frame', 'From', 'Bytes', 'Says'],
    rows.map(([type, name, length]) => [
      `\`${hexOf([type])}\``,
      `[${name}](#${name.toLowerCase()})`,
      SAYS[name][0],
      length,
      SAYS[name][1],
    ]),
  );
}

function codes({ refusalCodes }) {
  return table(
    ['Code', 'Name', 'When, and for how long'],
    membersOf(LAYOUTS, 'refusalCodes').map(({ name, words }) => [`${refusalCodes[name]}`, `\`${name}\``, words]),
  );
}

function vectorList({ keys, frames, data }) {
  const bytes = (hex) => linesOf(Buffer.from(hex, 'hex'), 32).map((line) => `    ${line}`);
  return [
    '```text',
    ...Object.entries(keys).flatMap(([name, hex]) => [`${name}, for MACs`, ...bytes(hex)]),
    ...frames.flatMap(({ name, what, hex }) => ['', `${name}: ${what}`, ...bytes(hex)]),
    ...data.flatMap(({ what, number, hex }) => ['', `DATA, number ${number}: ${what}`, ...bytes(hex)]),
    '```',
  ].join('\n');
}

/** The generated parts of docs/protocol.md, by name. */
export async function protocol() {
  const vectors = JSON.parse(readFileSync(root + VECTORS, 'utf8'));
  const [layouts, core, frames] = await loadWithImports([
    LAYOUTS,
    'src/protocol/session/index.ts',
    'src/protocol/session/frames.ts',
  ]);
  return {
    'frames of a session': overview(layouts),
    'frame DATA': dataFrame(layouts, vectors),
    ...frameParts(layouts, vectors),
    'refusal codes': codes(layouts),
    'vectors of a session': vectorList(vectors),
    ...conversations({ ...layouts, ...core, ...frames }, vectors),
  };
}
