import { describe, expect, test } from 'vitest';
import { isFatal, NinjaTcpError } from '../../src/errors.js';
import { tlsFault } from '../../src/socket/tls-fault.js';

const error = (code: string | undefined, message = 'words of OpenSSL') =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

/** `CODE: message` of what an error means; `as it is` where nothing is known better. */
function meaning(given: Error, open: boolean, authorizationError?: string): string {
  const fault = tlsFault(given, { who: 'till.example', open, authorizationError });
  if (fault === given) return 'as it is';
  expect(fault).toBeInstanceOf(NinjaTcpError);
  expect(fault.cause).toBe(given);
  return `${(fault as NinjaTcpError).code.replace('NINJA_', '')}: ${fault.message}`;
}

describe('before the handshake is over', () => {
  test.each([
    ['CERT_HAS_EXPIRED', 'it has expired'],
    ['CERT_NOT_YET_VALID', 'it is not valid yet; or a clock is wrong'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'it is signed by itself; to trust it, put it into tls.ca'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'who signed it is not known here; its authority belongs into tls.ca'],
    ['CERT_REVOKED', 'words of OpenSSL'],
  ])('a certificate with %s is not accepted', (code, why) => {
    expect(meaning(error(code), false, code)).toBe(
      `CERTIFICATE: the certificate of till.example is not accepted: ${why} (${code})`,
    );
  });

  test('a client that the server throws out: the cause is its certificate, not that it is gone', () => {
    expect(meaning(error('ECONNRESET', 'socket hang up'), false, 'CERT_HAS_EXPIRED')).toBe(
      'CERTIFICATE: the certificate of till.example is not accepted: it has expired (CERT_HAS_EXPIRED)',
    );
  });

  test("a check of the program's own speaks for itself", () => {
    expect(meaning(error(undefined, 'not pinned'), false, 'not pinned')).toBe(
      'CERTIFICATE: the certificate of till.example is not accepted: not pinned',
    );
  });

  test.each([
    'UNSUPPORTED_PROTOCOL',
    'TLSV1_ALERT_PROTOCOL_VERSION',
    'NO_SHARED_CIPHER',
    'NO_PROTOCOLS_AVAILABLE',
    'NO_APPLICATION_PROTOCOL',
    'TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    'SSLV3_ALERT_HANDSHAKE_FAILURE',
    'TLSV1_ALERT_INSUFFICIENT_SECURITY',
    'TLSV1_UNRECOGNIZED_NAME',
  ])('%s: nothing in common, and final', (code) => {
    expect(meaning(error(`ERR_SSL_${code}`), false)).toMatch(/^TLS_FAILED: no TLS with till\.example: /);
    expect(isFatal('NINJA_TLS_FAILED')).toBe(true);
  });

  test.each(['WRONG_VERSION_NUMBER', 'HTTP_REQUEST', 'HTTPS_PROXY_REQUEST', 'PACKET_LENGTH_TOO_LONG'])(
    '%s: no TLS at all, which may go away by itself',
    (code) => {
      expect(meaning(error(`ERR_SSL_${code}`), false)).toMatch(/^NOT_TLS: no TLS with till\.example: /);
      expect(isFatal('NINJA_NOT_TLS')).toBe(false);
    },
  );

  test.each([
    ['TLSV1_ALERT_INTERNAL_ERROR', 'tlsv1 alert internal error'],
    ['SSLV3_ALERT_BAD_RECORD_MAC', 'sslv3 alert bad record mac'],
  ])('%s may go away by itself', (code, plain) => {
    expect(meaning(error(`ERR_SSL_${code}`), false)).toBe(
      `CONNECT_FAILED: TLS with till.example broke: ${plain} (ERR_SSL_${code})`,
    );
    expect(isFatal('NINJA_CONNECT_FAILED')).toBe(false);
  });

  test('what is none of TLS stays as it is', () => {
    expect(meaning(error('ECONNREFUSED'), false)).toBe('as it is');
    expect(meaning(error(undefined), false)).toBe('as it is');
  });
});

describe('behind the handshake', () => {
  // TLS 1.3: who refuses our certificate says so only then.
  test.each([
    'TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'TLSV1_ALERT_UNKNOWN_CA',
    'TLSV1_ALERT_ACCESS_DENIED',
    'SSLV3_ALERT_BAD_CERTIFICATE',
    'SSLV3_ALERT_UNSUPPORTED_CERTIFICATE',
    'SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'SSLV3_ALERT_CERTIFICATE_REVOKED',
    'SSLV3_ALERT_CERTIFICATE_UNKNOWN',
  ])('%s: ours is refused, and that is final', (code) => {
    for (const open of [false, true]) {
      expect(meaning(error(`ERR_SSL_${code}`), open)).toMatch(
        /^CERTIFICATE: till\.example does not accept our certificate: /,
      );
    }
    expect(isFatal('NINJA_CERTIFICATE')).toBe(true);
  });

  test.each(['WRONG_VERSION_NUMBER', 'DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'TLSV1_ALERT_PROTOCOL_VERSION'])(
    '%s is a broken line, to be healed',
    (code) => {
      expect(meaning(error(`ERR_SSL_${code}`), true)).toMatch(/^RESET: TLS with till\.example broke: /);
    },
  );

  test('a certificate that was let pass is no cause of anything', () => {
    expect(meaning(error('ECONNRESET'), true, 'CERT_HAS_EXPIRED')).toBe('as it is');
  });
});
