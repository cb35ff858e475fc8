import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { as, ca, pathOf } from './certificates.js';
import { connectTo, frame, later, next } from './support.js';

const noOpenssl = (() => {
  try {
    return !/^OpenSSL [3-9]/.test(execFileSync('openssl', ['version'], { encoding: 'utf8' }));
  } catch {
    return true;
  }
})();

/** `openssl s_server`, with what it printed so far. */
async function server(certificate: string, ...more: string[]) {
  const files = ['-key', pathOf('key'), '-cert', pathOf(certificate), '-CAfile', pathOf('authority')];
  const args = ['s_server', '-accept', '127.0.0.1:0', ...files, ...more];
  const child: ChildProcess = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  later(() => {
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    return gone;
  });
  let printed = '';
  const port = new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`openssl ended: ${printed}`)));
    child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      printed += text;
      const [, found] = /^ACCEPT .*:(\d+)$/m.exec(printed) ?? [];
      if (found) resolve(Number(found));
    });
  });
  return { port: await port, child };
}

const trusting = { ca, servername: 'localhost' };

describe.skipIf(noOpenssl)('openssl s_server', () => {
  test.each(['-tls1_2', '-tls1_3'])('%s: messages pass both ways, and ALPN chooses', async (version) => {
    const { port, child } = await server('server', version, '-alpn', 'ninja');
    const connection = connectTo(port, { tls: { ...trusting, ALPNProtocols: ['other', 'ninja'] } });
    await connection.connected();
    connection.send('to them');
    const heard = new Promise<void>((resolve) => {
      child.stdout?.on('data', (text: string) => text.includes('to them') && resolve());
    });
    child.stdin?.write(frame('to us'));
    expect(String(await next(connection, 'message'))).toBe('to us');
    await heard;
    expect(connection.tls).toMatchObject({ authorized: true, alpnProtocol: 'ninja' });
  });

  test.each([
    ['stranger', trusting, 'who signed it is not known here; its authority belongs into tls.ca'],
    ['expired', trusting, 'it has expired (CERT_HAS_EXPIRED)'],
    ['elsewhere', trusting, "Host: localhost. is not in the cert's altnames: DNS:elsewhere.example"],
  ])('a certificate as %s is final', async (certificate, tls, why) => {
    const { port } = await server(certificate);
    const connection = connectTo(port, { tls });
    const { reason } = await next<{ reason: { code: string; message: string } }>(connection, 'failed');
    expect([reason.code, connection.epoch]).toEqual(['NINJA_CERTIFICATE', 1]);
    expect(reason.message.startsWith(`the certificate of localhost is not accepted: ${why}`)).toBe(true);
  });

  test('mutual: a good certificate of ours passes', async () => {
    const { port, child } = await server('server', '-Verify', '1', '-verify_return_error');
    const connection = connectTo(port, { tls: { ...trusting, ...as('client') } });
    await connection.connected();
    child.stdin?.write(frame('welcome'));
    expect(String(await next(connection, 'message'))).toBe('welcome');
  });

  test.each([
    ['none', {}, 'it wants one, and was shown none (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)'],
    ['one of an unknown authority', as('stranger'), /ERR_SSL_TLSV1_ALERT_UNKNOWN_CA|CERTIFICATE/],
    ['an expired one', as('expired'), 'certificate expired (ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED)'],
  ])('mutual: %s of ours is final, though the alert comes behind the handshake', async (_, ours, why) => {
    const { port } = await server('server', '-tls1_3', '-Verify', '1', '-verify_return_error');
    const connection = connectTo(port, { tls: { ...trusting, ...ours } });
    connection.send('held or unknown');
    const { reason } = await next<{ reason: { code: string; message: string } }>(connection, 'failed');
    expect([reason.code, connection.epoch]).toEqual(['NINJA_CERTIFICATE', 1]);
    expect(reason.message).toMatch(/^localhost does not accept our certificate: /);
    expect(reason.message).toMatch(typeof why === 'string' ? new RegExp(why.replace(/[()]/g, '\\$&')) : why);
  });
});
