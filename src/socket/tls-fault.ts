import { type ErrorCode, NinjaTcpError } from '../errors.js';

/** What people may do about it; for the rest OpenSSL's own words have to serve. */
const UNKNOWN_AUTHORITY = 'who signed it is not known here; its authority belongs into tls.ca';
const words: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself; to trust it, put it into tls.ca',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet; or a clock is wrong',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it showed none',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants one, and was shown none',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know who signed it',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'handshake failure: no cipher in common, or it wants a certificate',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what it says is not TLS',
  ERR_SSL_HTTP_REQUEST: 'what it says is not TLS, but HTTP',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what it says is not TLS',
};

/** Alerts by which the other side refuses our certificate. */
const REFUSES_OURS = /^ERR_SSL_.*ALERT_(.*CERTIFICATE|.*CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;
/** No TLS at all. A proxy whose server is gone for a moment may answer so. */
const NO_TLS = /^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG)$/;
/** Nothing that a retry could mend: the two do not speak the same TLS. */
const NOTHING_IN_COMMON =
  /PROTOCOL|VERSION|NO_SHARED_CIPHER|NO_CIPHERS|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|UNRECOGNIZED_NAME/;

export interface TlsAttempt {
  /** The other side, for people: `till.example`, `the client`. */
  readonly who: string;
  /** The handshake is over. */
  readonly open: boolean;
  /** Why the other side's certificate is not good, as the socket says it. */
  readonly authorizationError: string | undefined;
}

/** What an error of a TLS socket means; the error as it is where it is none of TLS, or might go away by itself. */
export function tlsFault(error: Error, { who, open, authorizationError }: TlsAttempt): Error {
  const ownCode = (error as NodeJS.ErrnoException).code ?? '';
  const fault = (code: ErrorCode, sentence: string, detail: string, from = ownCode) => {
    const why = words[from] ?? detail;
    return new NinjaTcpError(code, `${sentence}: ${why}${from === '' ? '' : ` (${from})`}`, error);
  };
  if (!open && authorizationError !== undefined) {
    const from = /^[A-Z_\d]+$/.test(authorizationError) ? authorizationError : ownCode;
    // Where the server's side throws such a client out, the error itself says only that it is gone.
    const detail = from === ownCode ? reasonOf(error) : authorizationError;
    return fault('NINJA_CERTIFICATE', `the certificate of ${who} is not accepted`, detail, from);
  }
  if (!ownCode.startsWith('ERR_SSL_')) return error;
  const plain = ownCode.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ');
  if (REFUSES_OURS.test(ownCode)) return fault('NINJA_CERTIFICATE', `${who} does not accept our certificate`, plain);
  if (ownCode === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
    return fault('NINJA_CERTIFICATE', `the certificate of ${who} is not accepted`, plain);
  }
  if (!open && NO_TLS.test(ownCode)) return fault('NINJA_NOT_TLS', `no TLS with ${who}`, plain);
  if (!open && NOTHING_IN_COMMON.test(ownCode)) return fault('NINJA_TLS_FAILED', `no TLS with ${who}`, plain);
  return fault(open ? 'NINJA_RESET' : 'NINJA_CONNECT_FAILED', `TLS with ${who} broke`, plain);
}

/** `Host: a. is not in the cert's altnames: DNS:b` rather than the long form. */
function reasonOf(error: Error): string {
  const { reason } = error as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : error.message;
}
