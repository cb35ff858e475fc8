// A client whose session is kept in a file. Its argument: { path, port, most }
// It sends numbers, each when the one before was handled, from that behind the highest that a file beside has; tells `sent`
// when all are, and `left` with what the process before it had left.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileStore } from '../../../dist/file-store/index.js';
import { connect } from '../../../dist/index.js';
import { obey, tell } from './telling.mjs';

const { path, port, most } = JSON.parse(process.argv[2]);
const store = fileStore({ path, key: false });
const beside = `${path}.last`;
const connection = connect({ host: '127.0.0.1', port, backoff: () => 20, session: { store, acknowledge: 'manual' } });
connection.on('failed', ({ reason }) => tell('failed', { code: reason.code }));
connection.on('message', (message) => message.acknowledge());
obey(() => {});
await connection.connected();
tell('connected', { messages: connection.session.retained.messages });
for (let number = existsSync(beside) ? Number(readFileSync(beside, 'utf8')) + 1 : 1; number <= most; number += 1) {
  await connection.deliver(String(number));
  writeFileSync(beside, String(number));
}
tell('sent');
