// A Unix domain socket: a path instead of a host and a port.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, listen } from 'ninja-tcp';

const folder = mkdtempSync(join(tmpdir(), 'till-'));
const path = join(folder, 'till.sock');

const server = await listen({ path }, async (peer) => {
  for await (const message of peer) peer.send(`echo of ${message}`);
});
const connection = connect({ path });
connection.send('hello');
const [message] = await once(connection, 'message');
console.log(String(message)); // → echo of hello
console.log(server.explain()); // → …till.sock listening on …till.sock since …; 1 peer

await connection.close();
await server.close();
rmSync(folder, { recursive: true });
