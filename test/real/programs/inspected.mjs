// A process with connections, a server perhaps, and the inspector's page. Its argument:
//   {port, allowControl, title}   for the inspector
//   {crossing}                    the path of a socket file that leads to the page from another network namespace
// It tells `page` with the address. Orders:
//   {"connect": {...}}      the options of `connect`, and {waitMs: the pause between attempts, names: the port of a name
//                           server on 127.0.0.1, sends: messages of 64 KiB that are sent at once}; tells its `stale` with the
//                           wall-clock time
//   {"watchers": true}      tells `watchers`: how many observe the connections and their actors
//   {"cpu": true}           tells `cpu`: milliseconds of the processor since that was last asked, and of how many
import { Resolver } from 'node:dns';
import { createServer, connect as dial } from 'node:net';
import { connect } from '../../../dist/index.js';
import { startInspector } from '../../../dist/inspector/index.js';
import { now, obey, tell } from './telling.mjs';

const { crossing, ...options } = JSON.parse(process.argv[2]);
const inspector = await startInspector(options);

if (crossing !== undefined) {
  // A socket file is in no network namespace.
  createServer((near) => {
    const far = dial(inspector.port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ])
      one.on('error', () => other.destroy()).pipe(other);
  }).listen(crossing, () => tell('page', { url: inspector.url }));
} else tell('page', { url: inspector.url });

/** Asks a name server of the test's own, in earnest. */
function lookupAt(port) {
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  return (name, _options, done) => {
    resolver.resolve4(name, (error, addresses = []) => {
      if (error) done(error, '');
      else
        done(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        );
    });
  };
}

let watchers = 0;
/** Counts who asks one to be told, and who does not want to be told any more. */
function counted(one, method) {
  const ask = one[method].bind(one);
  one[method] = (...args) => {
    const { unsubscribe } = ask(...args);
    watchers += 1;
    return {
      unsubscribe: () => {
        watchers -= 1;
        unsubscribe();
      },
    };
  };
}

/** A program holds its connections: one that gave up would be gone otherwise. */
const held = [];

function open({ waitMs, names, sends = 0, ...given }) {
  const connection = connect({
    ...given,
    ...(waitMs !== undefined && { backoff: () => waitMs }),
    ...(names !== undefined && { lookup: lookupAt(names) }),
  });
  held.push(connection);
  counted(connection, 'subscribe');
  counted(connection.actor.system, 'inspect');
  connection.on('stale', ({ silentForMs }) => tell('stale', { name: connection.name, wall: Date.now(), silentForMs }));
  connection.on('live', () => tell('live', { name: connection.name }));
  for (let i = 0; i < sends; i += 1) connection.send(Buffer.alloc(65_536, 'x'));
}

let used = process.cpuUsage();
let since = now();
obey((order) => {
  if (order.connect) open(order.connect);
  if (order.watchers) tell('watchers', { watchers });
  if (order.cpu) {
    const { user, system } = process.cpuUsage(used);
    tell('cpu', { ms: (user + system) / 1000, of: now() - since });
    used = process.cpuUsage();
    since = now();
  }
});
