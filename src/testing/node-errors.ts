// Errors with the words, codes and fields of Node's own, so that code which reads them need not know where it runs.

const numbers: Readonly<Record<string, number>> = {
  EADDRINUSE: -98,
  EADDRNOTAVAIL: -99,
  ECONNREFUSED: -111,
  ECONNRESET: -104,
  EHOSTUNREACH: -113,
  ENOENT: -2,
  ENOTFOUND: -3008,
  EPIPE: -32,
  ETIMEDOUT: -110,
};

function systemError(message: string, syscall: string, code: string, more: object = {}): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { errno: numbers[code], code, syscall }, more);
}

/** `connect ECONNREFUSED 127.0.0.1:65432`, `connect ENOENT /run/till.sock` */
export function connectError(code: string, address: string, port: number | string): NodeJS.ErrnoException {
  if (typeof port === 'string') return systemError(`connect ${code} ${port}`, 'connect', code, { address: port });
  return systemError(`connect ${code} ${address}:${port}`, 'connect', code, { address, port });
}

/** `getaddrinfo ENOTFOUND nowhere` */
export function lookupError(hostname: string): NodeJS.ErrnoException {
  return systemError(`getaddrinfo ENOTFOUND ${hostname}`, 'getaddrinfo', 'ENOTFOUND', { hostname });
}

/** `read ECONNRESET`, `write EPIPE` */
export function streamError(syscall: 'read' | 'write', code: string): NodeJS.ErrnoException {
  return systemError(`${syscall} ${code}`, syscall, code);
}

/** `listen EADDRINUSE: address already in use 127.0.0.1:65432`, or a path */
export function listenError(code: string, address: string, port: number | string): NodeJS.ErrnoException {
  const words = code === 'EADDRINUSE' ? 'address already in use' : 'address not available';
  if (typeof port === 'string') {
    return systemError(`listen ${code}: ${words} ${port}`, 'listen', code, { address: port, port: -1 });
  }
  return systemError(`listen ${code}: ${words} ${address}:${port}`, 'listen', code, { address, port });
}

/** What Node says to a write on a stream that was thrown away. */
export function destroyedError(): NodeJS.ErrnoException {
  const message = 'Cannot call write after a stream was destroyed';
  return Object.assign(new Error(message), { code: 'ERR_STREAM_DESTROYED' });
}

/** What Node says to a write behind `end`. */
export function writeAfterEndError(): NodeJS.ErrnoException {
  return Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' });
}
