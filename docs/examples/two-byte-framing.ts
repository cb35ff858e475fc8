// The frame of many payment switches: the length in 2 bytes, big-endian. Here against bytes written by hand.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect, lengthPrefixed } from 'ninja-tcp';

const server = createServer((socket) => {
  socket.on('data', (bytes) => {
    console.log(bytes.toString('hex')); // → 000430383030
    socket.write(Buffer.from('000430383130', 'hex'));
  });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();

const connection = connect({
  host: '127.0.0.1',
  port: typeof address === 'object' ? (address?.port ?? 0) : 0,
  framing: lengthPrefixed({ bytes: 2 }),
  heartbeatInterval: 0, // this server is not to get empty frames
  staleAfter: 0, // and it speaks only when spoken to
});
connection.send('0800');
for await (const message of connection) {
  console.log(message.toString()); // → 0810
  break;
}
await connection.dispose();
server.close();
