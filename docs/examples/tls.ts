// Mutual TLS: both sides show a certificate.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, listen } from 'ninja-tcp';

const pem = (name: string) => readFileSync(`certificates/${name}.pem`);
const [ca, key] = [pem('authority'), pem('key')];

const server = await listen(
  { host: '127.0.0.1', port: 0, tls: { key, cert: pem('server'), ca, requestCert: true } },
  async (peer) => {
    const who = peer.tls?.peerCertificate?.subject.CN;
    for await (const message of peer) peer.send(`${who} says ${message}`);
  },
);
const to = { host: '127.0.0.1', port: server.address()?.port ?? 0 };

const till = connect({ ...to, tls: { ca, key, cert: pem('client') } });
till.send('hello');
const [message] = await once(till, 'message');
console.log(String(message)); // → till 7 says hello
console.log(till.tls?.protocol, till.tls?.authorized); // → TLSv1.3 true
await till.close();

// A certificate that is not accepted is final: no retry could mend it.
const stranger = connect({ ...to, tls: { ca } });
await once(stranger, 'failed');
console.log(stranger.reason?.code); // → NINJA_CERTIFICATE
console.log(stranger.reason?.message); // → 127.0.0.1 does not accept our certificate: it wants one, and was shown none …
await stranger.dispose();
await server.close();
