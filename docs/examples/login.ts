// A login on every fresh line, before anything that was queued is written.
import { connect, listen, NinjaTcpError } from 'ninja-tcp';

const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
  for await (const message of peer) {
    const said = message.toString();
    if (said.startsWith('login ')) peer.send(said === 'login secret' ? 'welcome' : 'wrong password');
    else peer.send(`echo of ${said}`);
  }
});
const port = server.address()?.port ?? 0;

const open = (password: string) =>
  connect({
    host: '127.0.0.1',
    port,
    async onConnect(line) {
      line.send(`login ${password}`);
      const answer = (await line.receive()).toString();
      // Any other error is a failed attempt, to be retried. This one is final.
      if (answer !== 'welcome') throw new NinjaTcpError('NINJA_NOT_A_PEER', answer);
    },
  });

const connection = open('secret');
connection.send('hello'); // queued: it goes out behind the login
for await (const message of connection) {
  console.log(message.toString()); // → echo of hello
  break;
}
await connection.close();

const intruder = open('guess');
const error = await intruder.connected().catch((reason: NinjaTcpError) => reason);
console.log(error?.code, intruder.state, intruder.substate); // → NINJA_GAVE_UP disconnected failed
console.log(intruder.reason?.message); // → wrong password
await intruder.dispose();
await server.close();
