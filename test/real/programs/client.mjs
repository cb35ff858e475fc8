// A client that tells what happens to its connection. Its argument: the options of `connect` as JSON.
//   {"talk": 20}          sends a numbered message every 20 ms; the first one that comes back in an epoch is told as `echo`
//   {"resolves": false}   from now on names are not found (and with true they are 127.0.0.1)
import { connect, nodeEnvironment } from '../../../dist/index.js';
import { controlled, obey, tell } from './telling.mjs';

const { resolves = true, ...options } = JSON.parse(process.argv[2]);
const { environment, lateness } = controlled(nodeEnvironment);
const names = { resolve: resolves };

const connection = connect({
  ...options,
  environment,
  lookup: (name, _options, done) => {
    if (names.resolve) done(null, [{ address: '127.0.0.1', family: 4 }]);
    else done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), '');
  },
});

for (const event of ['connecting', 'connected', 'live', 'stale', 'disconnected', 'failed', 'disposed']) {
  connection.on(event, ({ error, ...facts }) => {
    tell(event, { ...facts, code: facts.reason?.code, late: lateness(), substate: connection.substate });
  });
}

let echoedIn = 0;
connection.on('message', (message) => {
  if (echoedIn === connection.epoch) return;
  echoedIn = connection.epoch;
  tell('echo', { epoch: connection.epoch, message: message.toString() });
});

let number = 0;
function talk() {
  number += 1;
  // While the line is down it is queued, up to the bound of the outbox: not the point here.
  if (connection.state === 'connected') connection.send(`message ${number}`);
}

obey((order) => {
  if (order.talk) setInterval(talk, order.talk);
  if (order.resolves !== undefined) names.resolve = order.resolves;
});
