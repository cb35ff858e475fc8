// Many cores behind a TCP balancer: a process for each port, and the client's own address by the PROXY protocol.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect as dial } from 'node:net';
import { connect, listen } from 'ninja-tcp';

const PROCESSES = 2; // in earnest: os.availableParallelism()

if (process.send) {
  const server = await listen({ host: '127.0.0.1', port: 0, proxyProtocol: true }, async (peer) => {
    for await (const message of peer) peer.send(`${process.pid} heard ${message} from port ${peer.remotePort}`);
  });
  process.send(server.address()?.port);
  process.once('disconnect', () => server.close());
} else {
  const processes = Array.from({ length: PROCESSES }, () => fork(process.argv[1] ?? ''));
  const ports = await Promise.all(processes.map(async (one) => (await once(one, 'message'))[0] as number));

  // Stands for haproxy, or a balancer of the cloud: in turn, with a header of PROXY version 2 in front.
  let turn = 0;
  const balancer = createServer((client) => {
    const server = dial(ports[turn++ % PROCESSES] ?? 0, '127.0.0.1');
    const header = Buffer.from('0d0a0d0a000d0a515549540a2111000c7f0000017f00000100000000', 'hex');
    header.writeUInt16BE(client.remotePort ?? 0, 24);
    server.write(header);
    client.pipe(server).pipe(client);
    for (const one of [client, server]) one.on('error', () => [client, server].map((side) => side.destroy()));
  });
  await once(balancer.listen(0, '127.0.0.1'), 'listening');
  const { port } = balancer.address() as { port: number };

  const clients = Array.from({ length: 4 }, () => connect({ host: '127.0.0.1', port }));
  const answers = clients.map(async (client) => {
    client.send('hello');
    const [answer] = await once(client, 'message');
    return String(answer).split(' from port ');
  });
  const told = await Promise.all(answers);
  const by = new Set(told.map(([words]) => words));
  const from = new Set(told.map(([, address]) => address));
  console.log(`${clients.length} clients from ${from.size} ports, answered by ${by.size} processes`);
  // → 4 clients from 4 ports, answered by 2 processes

  await Promise.all(clients.map((client) => client.close()));
  balancer.close();
  for (const one of processes) one.disconnect();
  await Promise.all(processes.map((one) => once(one, 'exit')));
}
