// Every path of a connection's life, against a program of your own. Run it with `node --test`.
import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { type ConnectOptions, connect } from 'ninja-tcp';
import { connectionPaths } from 'ninja-tcp/testing';

/** The program under test: a lamp that is green while the line is live. */
function startLamp(options: ConnectOptions) {
  const lamp = { connection: connect(options), colour: 'red' };
  const show = (colour: string) => () => {
    lamp.colour = colour;
  };
  lamp.connection.on('live', show('green')).on('stale', show('red'));
  lamp.connection.on('disconnected', show('red')).on('disposed', show('red'));
  return lamp;
}

const paths = connectionPaths({
  start: ({ host, port, environment }) => startLamp({ host, port, environment }),
  check: {
    'connected.live': (lamp) => equal(lamp.colour, 'green'),
    'connected.unproven': (lamp) => equal(lamp.colour, 'red'),
    disconnected: (lamp) => equal(lamp.colour, 'red'),
    stale: (lamp) => equal(lamp.colour, 'red'),
  },
});
for (const path of paths) test(path.title, () => path.run());
test('every check was called', () => equal(paths.checked.size, 4));
