// A server that follows a script byte for byte, on a real port; and what is said when the other side does not.
import { connect } from 'ninja-tcp';
import { createScript, frame } from 'ninja-tcp/testing';

const script = createScript().expect(frame('login')).wait(20).send('00 00 00 02 6f 6b').expectEnd();
const server = script.listen(); // with an environment: on the simulated network
const { port } = await server.ready();

const connection = connect({ host: '127.0.0.1', port });
connection.send('login');
for await (const message of connection) {
  console.log(message.toString()); // → ok
  break;
}
await connection.close();
console.log((await server.done()).state); // → done
server.close();

const again = script.listen();
const other = connect({ host: '127.0.0.1', port: (await again.ready()).port });
other.send('logIn');
await again.done().catch((error: Error) => console.log(error.message));
// → connection 1, step 1 of 4 (expect 9 bytes): byte 7 of the connection is not what was expected
// →   expected  00 00 00 05 6c 6f 67 69 6e  |....login|
// →   got       00 00 00 05 6c 6f 67 49 6e  |....logIn|
// →                                  ^^
await other.dispose();
again.close();
