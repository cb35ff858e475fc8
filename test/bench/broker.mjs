// A broker for those that need one, in a process of its own: `broker.mjs nats|mqtt`; tells its port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { load } from './installer.mjs';
import { tell } from './processes.mjs';

const HOST = '127.0.0.1';

async function listening(onSocket) {
  const server = createServer(onSocket).listen(0, HOST);
  await once(server, 'listening');
  return server;
}

const brokers = {
  async mqtt() {
    const { Aedes } = await load('aedes');
    const broker = await Aedes.createBroker();
    return (await listening((socket) => broker.handle(socket))).address().port;
  },
  async nats() {
    const free = await listening();
    const { port } = free.address();
    free.close();
    await once(free, 'close');
    const server = spawn('nats-server', ['--addr', HOST, '--port', String(port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    process.on('exit', () => server.kill('SIGKILL'));
    let words = '';
    for await (const text of server.stderr.setEncoding('utf8')) {
      words += text;
      if (words.includes('Server is ready')) break;
    }
    if (!words.includes('Server is ready')) throw new Error(`nats-server did not start:\n${words}`);
    return port;
  },
};

tell({ port: await brokers[process.argv[2]]() });
