// One port, many cores: each worker listens for itself, and the primary deals the connections out.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { connect, listen } from 'ninja-tcp';

const WORKERS = 2; // in earnest: os.availableParallelism()
const place = { host: '127.0.0.1', port: 65432 };

if (cluster.isWorker) {
  const server = await listen(place, async (peer) => {
    for await (const message of peer) peer.send(`${process.pid} heard ${message}`);
  });
  process.once('message', async () => {
    await server.close(); // no new peers, and those that are there are flushed
    process.disconnect();
  });
} else {
  const workers = Array.from({ length: WORKERS }, () => cluster.fork());
  await Promise.all(workers.map((worker) => once(worker, 'listening')));

  const clients = Array.from({ length: 4 }, () => connect(place));
  const answers = clients.map(async (client) => {
    client.send('hello');
    const [answer] = await once(client, 'message');
    return String(answer).split(' ')[0];
  });
  const processes = new Set(await Promise.all(answers));
  console.log(`${clients.length} clients, answered by ${processes.size} processes`); // → 4 clients, answered by 2 processes

  await Promise.all(clients.map((client) => client.close()));
  for (const worker of workers) worker.send('close');
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
}
