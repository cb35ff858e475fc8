/** IP addresses as text and as bytes, and sets of them. Pure. */

/** Four bytes, or sixteen. */
export type AddressBytes = Uint8Array;

/** The 12 bytes in front of an IPv4 address that is written as an IPv6 one, `::ffff:1.2.3.4`. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

function parseV4(text: string): AddressBytes | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

/** The 16-bit groups of one side of `::`, the last of them in dots perhaps; undefined where they are none. */
function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [place, part] of parts.entries()) {
    const v4 = isLast && place === parts.length - 1 ? parseV4(part) : undefined;
    if (v4) {
      const [a = 0, b = 0, c = 0, d = 0] = v4;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[\da-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function parseV6(text: string): AddressBytes | undefined {
  const [head = '', tail, more] = text.split('::');
  const [before, after] = [groupsOf(head, tail === undefined), groupsOf(tail ?? '', true)];
  if (more !== undefined || !before || !after) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<number>(missing).fill(0), ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** The bytes of an address; IPv4 also where it is written as an IPv6 one. Undefined where the text is no address. */
export function parseAddress(text: string): AddressBytes | undefined {
  if (!text.includes(':')) return parseV4(text);
  // Behind `%` stands the interface of a link-local address.
  const bytes = parseV6(text.replace(/%.*$/, ''));
  return bytes && MAPPED.every((byte, place) => bytes[place] === byte) ? bytes.subarray(12) : bytes;
}

/** An address as the system writes it: `10.0.0.1`, `2001:db8::1`, `::ffff:10.0.0.1`. */
export function formatAddress(bytes: AddressBytes): string {
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = MAPPED.every((byte, place) => bytes[place] === byte);
  if (isMapped) return `::ffff:${bytes.subarray(12).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, place) =>
    (((bytes[2 * place] ?? 0) << 8) | (bytes[2 * place + 1] ?? 0)).toString(16),
  );
  // The first of the longest runs of at least two zeros is left out.
  let [start, length] = [0, 1];
  for (let from = 0; from < 8; from += 1) {
    let to = from;
    while (groups[to] === '0') to += 1;
    if (to - from > length) [start, length] = [from, to - from];
  }
  if (length === 1) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** Whatever can tell whether an address belongs to it. Node's `net.BlockList` can. */
export interface AddressMatcher {
  check(address: string, family?: 'ipv4' | 'ipv6'): boolean;
}

interface Network {
  readonly bytes: AddressBytes;
  /** How many leading bits count. */
  readonly bits: number;
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, more] = text.split('/');
  const bytes = parseAddress(address);
  if (!bytes || more !== undefined) return undefined;
  const most = bytes.length * 8;
  if (prefix === undefined) return { bytes, bits: most };
  if (!/^\d{1,3}$/.test(prefix)) return undefined;
  // `::ffff:10.0.0.0/104` counts from the left of the IPv6 form.
  const bits = Number(prefix) - (bytes.length === 4 && address.includes(':') ? 96 : 0);
  return bits >= 0 && bits <= most ? { bytes, bits } : undefined;
}

function holds({ bytes, bits }: Network, address: AddressBytes): boolean {
  if (bytes.length !== address.length) return false;
  const whole = bits >> 3;
  for (let place = 0; place < whole; place += 1) if (bytes[place] !== address[place]) return false;
  const rest = bits & 7;
  return rest === 0 || (((bytes[whole] ?? 0) ^ (address[whole] ?? 0)) & (0xff00 >> rest)) === 0;
}

/** Addresses and networks: `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`. */
export class AddressSet implements AddressMatcher {
  private readonly networks: readonly Network[];

  /** @throws RangeError naming what is neither an address nor a network */
  constructor(list: readonly string[]) {
    this.networks = list.map((text) => {
      const network = typeof text === 'string' ? parseNetwork(text) : undefined;
      if (!network) throw new RangeError(String(text));
      return network;
    });
  }

  check(address: string): boolean {
    const bytes = parseAddress(address);
    return bytes !== undefined && this.networks.some((network) => holds(network, bytes));
  }
}

/** One text for each address, however it is written: `10.0.0.1` for `::ffff:10.0.0.1`. */
export function canonical(address: string): string {
  const bytes = parseAddress(address);
  return bytes ? formatAddress(bytes) : address;
}

/** What counts as one client: an IPv4 address, or the first 64 bits of an IPv6 one, since a client has all the rest. */
export function clientOf(address: string): string {
  const bytes = parseAddress(address);
  if (bytes?.length !== 16) return canonical(address);
  // Link-local: there the first 64 bits are the same for all.
  const isLinkLocal = bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
  return isLinkLocal ? formatAddress(bytes) : formatAddress(bytes.map((byte, place) => (place < 8 ? byte : 0)));
}

export function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
