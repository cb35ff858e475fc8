import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Who may ask. Every program of this machine reaches our port, and every web site that its user visits can make the
 * browser ask it: so a secret is wanted that only the printed address has, and the names are compared under which we are
 * addressed (a site may let its own name point to 127.0.0.1).
 */
export class Guard {
  readonly token = randomBytes(32).toString('base64url');
  private readonly digest = digest(this.token);

  /** @returns what is wrong with it, in a sentence */
  strange({ host, origin }: Pick<IncomingHttpHeaders, 'host' | 'origin'>, port: number): string | undefined {
    // A browser leaves the port of HTTP itself out.
    const names = ['127.0.0.1', 'localhost'].flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]);
    if (host === undefined || !names.includes(host)) return `Host must be ${names[0]} or localhost:${port}.`;
    if (origin === undefined || names.some((name) => origin === `http://${name}`)) return undefined;
    return 'Origin must be that of the page itself.';
  }

  /** Takes the same time whatever is given. */
  knows(token: string | undefined): boolean {
    return timingSafeEqual(digest(token ?? ''), this.digest);
  }
}
