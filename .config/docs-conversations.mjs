// Conversations of docs/protocol.md, as the core of the protocol holds them: a client and a server face to face, on a
// clock that stands still until it is moved, with chance that is none.

const WINDOW = { bytes: 8 * 2 ** 20, messages: 65_536 };
const OPTIONS = {
  acknowledge: 'handled',
  maxFrame: 8 * 2 ** 20,
  window: WINDOW,
  retain: WINDOW,
  heartbeatMs: 1000,
  resumeMs: 120_000,
};
const LIMITS = {
  maxSessions: 10,
  maxSessionsPerPrincipal: 10,
  retainedBytes: 2 ** 30,
  retainedBytesPerPrincipal: 2 ** 30,
};
/** When acknowledgements are due at the latest, ms. */
const SOON = 25;

export const hexOf = (bytes) => [...bytes].map((one) => one.toString(16).padStart(2, '0')).join(' ');

/** Bytes in hex, in lines of at most so many. */
export function linesOf(bytes, each) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += each) lines.push(hexOf(bytes.subarray(at, at + each)));
  return lines;
}

/** Gives what it was given, in order: a session has to have the ids of the vectors. */
const chance = (...hexes) => {
  const left = hexes.map((hex) => Buffer.from(hex, 'hex'));
  return () => left.shift();
};

/** One side: what it writes is kept until it is carried across. */
class Side {
  written = [];
  ended = undefined;
  over = undefined;
  heard = [];

  constructor(core, name) {
    this.core = core;
    this.name = name;
    const side = this;
    this.owner = {
      deliver(message) {
        side.heard.push(message.toString());
        return true;
      },
      acknowledged() {},
      room() {},
      attached() {},
      detached() {},
      draining() {},
      leaving: () => this.session.finish(),
      refused() {},
      ended(end) {
        side.over = end;
      },
      wake() {},
    };
  }

  /** A new socket's end. */
  link() {
    const { core, written } = this;
    return {
      data(number, payload) {
        const frame = Buffer.alloc(core.DATA_HEAD + payload.length);
        core.writeDataHead(frame, 0, number);
        frame.set(payload, core.DATA_HEAD);
        written.push(frame);
        return true;
      },
      control: (frame) => void written.push(Buffer.from(frame)),
      end() {},
      drop() {},
    };
  }
}

class Conversation {
  lines = [];
  step = 0;
  now = 0;

  constructor(core, { keys, frames }) {
    this.core = core;
    const instanceOf = (name, field) => frames.find((one) => one.name === name).fields[field];
    const { sessionCrypto, SessionRegistry, ClientSession } = core;
    const serverChance = chance(instanceOf('WELCOME', 'serverInstance'), keys.sessionId, keys.secret);
    const clientChance = chance(instanceOf('HELLO', 'clientInstance'), keys.nonce, keys.nonce, keys.nonce);
    this.client = new Side(core, 'client');
    this.server = new Side(core, 'server');
    this.client.session = new ClientSession(
      { ...OPTIONS, endpoints: 1 },
      sessionCrypto(clientChance),
      this.client.owner,
    );
    this.registry = new SessionRegistry({ ...OPTIONS, ...LIMITS }, sessionCrypto(serverChance), (session) => {
      this.server.session = session;
      return this.server.owner;
    });
  }

  /** A remark between the frames. */
  say(words) {
    this.lines.push('', ...words.split('\n'));
  }

  wordsOf(frame) {
    const { core } = this;
    if (frame[0] === core.DATA)
      return `DATA, seq ${core.readDataHead(frame)}: ${JSON.stringify(frame.toString('utf8', core.DATA_HEAD))}`;
    const { name, mac, tlvs, ...fields } = core.decode(frame);
    const known = Object.entries(fields).filter(([, value]) => typeof value === 'number');
    const named = known.map(([key, value]) =>
      key === 'code' ? `code ${core.refusalName(value)}` : `${key.replace('version', 'ver')} ${value}`,
    );
    const words = name === 'HELLO' || name === 'WELCOME' ? [] : named;
    return [name, ...words, ...(name === 'REFUSED' ? [mac ? 'with a MAC' : 'without a MAC'] : [])].join(', ');
  }

  show(from, frame, lost = false) {
    this.step += 1;
    const way = from === 'client' ? 'client → server' : 'server → client';
    const head = `${String(this.step).padStart(2)}. ${way}  ${this.wordsOf(frame)}${lost ? '  (never arrives)' : ''}`;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    const bytes = linesOf(frame, 32);
    this.lines.push('', head, `      ${hexOf(length)}`, ...bytes.map((line) => `      ${line}`));
  }

  open() {
    this.near = this.client.link();
    this.far = this.server.link();
    this.client.session.open(this.near, [], this.now);
    this.knock(this.registry);
  }

  /** The first frame of a socket goes to a table of sessions; its answer, back. */
  knock(registry) {
    const first = this.client.written.shift();
    this.show('client', first);
    registry.admit(this.far, registry.read(first), first, { principal: 'ann', secure: true });
    this.carry('server', 1);
  }

  /** Frames of a side go across: so many, or all. */
  carry(from, most = Number.POSITIVE_INFINITY, lost = false) {
    const side = this[from];
    for (const frame of side.written.splice(0, Math.min(most, side.written.length))) {
      this.show(from, frame, lost);
      if (lost) continue;
      if (from === 'client') this.server.session.receive(this.far, frame, this.now);
      else this.client.session.receive(this.near, frame, this.now);
    }
  }

  send(from, ...words) {
    for (const word of words) this[from].session.send(Buffer.from(word));
  }

  wait(ms) {
    this.now += ms;
    for (const { session } of [this.client, this.server]) session.tick(this.now);
  }

  cut() {
    this.client.session.lost(this.near, this.now);
    this.server.session.lost(this.far, this.now);
  }

  /** What was written down since last asked. */
  take() {
    return ['```text', ...this.lines.splice(0).slice(1), '```'].join('\n');
  }
}

function ended({ client }) {
  const { how, code, handledUpTo, unknown } = client.over;
  if (how === 'closed') return 'The session is closed: everything was handled.';
  const { from, to } = unknown ?? {};
  const doubt = from === to ? `${to} is unknown` : `${from} to ${to} are unknown`;
  return `The session is lost, by ${code}: everything up to ${handledUpTo} was handled; ${doubt}.`;
}

/** The generated parts, by name. */
export function conversations(core, vectors) {
  const parts = {};
  const talk = new Conversation(core, vectors);
  talk.open();
  talk.say('Both may send now. The first number is 1, each way.');
  talk.send('client', 'hello', 'world');
  talk.carry('client');
  talk.send('server', 'hello yourself');
  talk.carry('server');
  talk.say(`Nothing more comes for ${SOON} ms: what was handled is acknowledged. Each side forgets what it kept.`);
  talk.wait(SOON);
  talk.carry('server');
  talk.carry('client');
  talk.say('The client has nothing to say for `heartbeatMs`. Instead of an empty frame it asks, and acknowledges.');
  talk.client.written.push(core.encode('PING', { nonce: 1, next: 2 }));
  talk.carry('client');
  talk.carry('server');
  parts['conversation: a fresh session'] = talk.take();

  talk.step = 0;
  talk.send('client', 'three', 'four', 'five');
  talk.carry('client', 1);
  talk.carry('client', 2, true);
  talk.say('The socket breaks. The server has handled 3, but could not say so any more.');
  talk.cut();
  talk.say('The client opens another socket. It expects 2, keeps 3 to 5, and has written up to 5.');
  talk.open();
  talk.say(
    'The server expects 4. Both say at once what they have handled, since the last word may be lost;\nthen the client writes 4 and 5 again.',
  );
  talk.carry('server');
  talk.carry('client');
  talk.wait(SOON);
  talk.carry('server');
  talk.say(
    `The server has heard: ${talk.server.heard.map((word) => JSON.stringify(word)).join(', ')}. Each once, and in order.`,
  );
  parts['conversation: a break, and a resume'] = talk.take();

  talk.step = 0;
  talk.say('The client wants to leave. All of its own is handled already.');
  talk.client.session.finish();
  talk.carry('client');
  talk.say(
    "So is all of the server's own. BYE_OK answers the client's BYE; whoever writes it closes the socket behind it.",
  );
  talk.carry('server');
  talk.say(ended(talk));
  parts['conversation: goodbye'] = talk.take();

  const lost = new Conversation(core, vectors);
  lost.open();
  lost.send('client', 'one', 'two', 'three');
  lost.carry('client', 2);
  lost.client.written.length = 0;
  lost.cut();
  lost.wait(OPTIONS.resumeMs);
  lost.take();
  lost.step = 0;
  lost.say(
    'The server has handled 1 and 2 of 3 when the socket broke, and has waited for `resumeMs` since. Then the client comes.',
  );
  lost.open();
  lost.say(`Its MAC is good: \`lastHandled\` is believed. ${ended(lost)}`);
  parts['conversation: a refusal that is believed'] = lost.take();

  const astray = new Conversation(core, vectors);
  astray.open();
  astray.send('client', 'one', 'two', 'three');
  astray.carry('client');
  astray.client.written.length = 0;
  astray.cut();
  astray.take();
  astray.step = 0;
  const other = new Conversation(core, vectors);
  astray.say('A balancer leads the client to a server that knows nothing of the session.');
  astray.near = astray.client.link();
  astray.far = astray.server.link();
  astray.server.written.length = 0;
  astray.client.session.open(astray.near, [], astray.now);
  astray.knock(other.registry);
  astray.say(
    `Nobody vouches for it: the client tries each other address that it has. Where all say so, or there is none:\n${ended(astray)}`,
  );
  parts['conversation: a refusal that is not'] = astray.take();
  return parts;
}
