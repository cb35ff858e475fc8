// An echo server that prints its port; it is started with very few file descriptors. Then a line for each pause, and for
// each time that it listens again. A client that says 'open' has it open a file, and hears what came of it.
import { closeSync, openSync } from 'node:fs';
import { listen } from '../../../dist/index.js';

const [path] = process.argv.slice(2);

function openFile() {
  try {
    closeSync(openSync('/dev/null'));
    return 'opened';
  } catch (error) {
    return error.code;
  }
}

// The flood says nothing, and is to stay.
const patience = { staleAfter: 600_000, heartbeatInterval: 1000 };
const server = await listen({ ...(path ? { path } : { host: '127.0.0.1', port: 0 }), ...patience }, async (peer) => {
  for await (const message of peer) peer.send(String(message) === 'open' ? openFile() : message);
});
server
  .on('paused', ({ error }) => console.log(`paused ${error.code}`))
  .on('listening', ({ port }) => console.log(`listening ${port}`));
console.log(server.address().port);
