import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where certificates/make.sh has put them. */
export const pathOf = (name: string): string => fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url));

const pem = (name: string): Buffer => readFileSync(pathOf(name));

export const key = pem('key');
/** The authority that everybody trusts here. */
export const ca = pem('authority');
export const certificates = {
  /** For localhost and 127.0.0.1. */
  server: pem('server'),
  /** The same, until 2020. */
  expired: pem('expired'),
  /** For elsewhere.example. */
  elsewhere: pem('elsewhere'),
  /** For localhost, signed by another authority. */
  stranger: pem('stranger'),
  /** A client's: `till 7`. */
  client: pem('client'),
};

/** A server's key and certificate. */
export const as = (name: keyof typeof certificates) => ({ key, cert: certificates[name] });
