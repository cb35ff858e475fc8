// A page that shows every connection of this process, live; for this machine alone.
import { connect, listen } from 'ninja-tcp';
import { startInspector } from 'ninja-tcp/inspector';

const server = await listen({ host: '127.0.0.1', port: 0, name: 'inn' }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0, name: 'till 7' });
await connection.connected({ proven: true });

const inspector = await startInspector();
console.log(`open ${inspector.url}`); // → open http://127.0.0.1:…/?token=…

const page = await fetch(inspector.url);
console.log(page.status, page.headers.get('content-type')); // → 200 text/html; charset=utf-8

// Whoever has no token sees nothing.
const { origin, searchParams } = new URL(inspector.url);
console.log((await fetch(`${origin}/feed`)).status); // → 403

// What the page is told, any program may read: Server-Sent Events, each with one JSON object.
const feed = await fetch(`${origin}/feed?token=${searchParams.get('token')}`);
let told = '';
for await (const chunk of feed.body ?? []) {
  told += Buffer.from(chunk).toString();
  if (told.includes('"type":"rows"') && told.endsWith('\n\n')) break;
}
const [hello, list] = told.split('\n\n').map((event) => event && JSON.parse(event.replace('data: ', '')));
console.log(hello.pid === process.pid, hello.allowControl); // → true false
for (const { kind, name, state, substate } of list.rows) console.log(kind, name, state, substate ?? '');
// → server inn listening …
// → connection till 7 connected live
// → peer peer 1 127.0.0.1:… connected …

await inspector.close();
await connection.close();
await server.close();
