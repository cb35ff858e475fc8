import { BlockList, isIP, SocketAddress } from 'node:net';
import { test as check, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { AddressSet, canonical, formatAddress, parseAddress } from '../src/addresses.js';

const hex = (text: string): string | undefined => {
  const bytes = parseAddress(text);
  return bytes && Buffer.from(bytes).toString('hex');
};

describe('an address', () => {
  test.each([
    ['10.0.0.7', '0a000007'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:db8::5:6', '20010db8000000000000000000050006'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['64:ff9b::10.0.0.7', '0064ff9b00000000000000000a000007'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['::ffff:10.0.0.7', '0a000007'],
    ['::FFFF:a00:7', '0a000007'],
  ])('%s is %s', (text, bytes) => {
    expect(hex(text)).toBe(bytes);
  });

  test.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.07',
    '10.0.0.7.8',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    ':::',
    '12345::',
    'g::',
    '::10.0.0.256',
    '10.0.0.7::',
    'localhost',
  ])("'%s' is none", (text) => {
    expect([hex(text), isIP(text)]).toEqual([undefined, 0]);
  });

  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    // With many zeros.
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
  );

  check.prop([bytes])('is written as Node writes it, and read back', (given) => {
    const text = formatAddress(given);
    expect(isIP(text)).toBe(given.length === 4 ? 4 : 6);
    const full = (Buffer.from(given).toString('hex').match(/.{4}/g) ?? []).join(':');
    if (given.length === 16) {
      const node = new SocketAddress({ address: full, family: 'ipv6' }).address;
      // Node writes the long forgotten `::1.2.3.4` with dots.
      if (!/^::\d+\.\d+\./.test(node)) expect(text).toBe(node);
    }
    const back = parseAddress(text);
    expect(back && Buffer.from(back)).toEqual(
      Buffer.from(given.length === 16 && text.startsWith('::ffff:') && text.includes('.') ? given.subarray(12) : given),
    );
  });
});

describe('a set of addresses', () => {
  const set = new AddressSet([
    '10.0.0.0/8',
    '192.168.1.7',
    '2001:db8::/33',
    '::1',
    '172.16.0.0/12',
    '::ffff:9.0.0.0/104',
  ]);
  test.each([
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['9.255.255.255', true],
    ['11.0.0.0', false],
    ['192.168.1.6', false],
    ['192.168.1.7', true],
    ['192.168.1.8', false],
    ['172.15.255.255', false],
    ['172.16.0.0', true],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['::ffff:10.1.2.3', true],
    ['2001:db8::1', true],
    ['2001:db8:7fff:ffff::', true],
    ['2001:db8:8000::', false],
    ['::1', true],
    ['::2', false],
    ['not an address', false],
  ])('has %s: %s', (address, expected) => {
    expect(set.check(address)).toBe(expected);
  });

  test.each([[[]], [['0.0.0.0/0']], [['::/0']]])('%o: IPv4 and IPv6 do not mix', (list) => {
    const all = new AddressSet(list);
    expect([all.check('1.2.3.4'), all.check('2001::1')]).toEqual([list[0] === '0.0.0.0/0', list[0] === '::/0']);
  });

  test.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8x', 'x', '::ffff:1.2.3.4/95'])(
    '%s is refused',
    (text) => {
      expect(() => new AddressSet([text])).toThrow(RangeError);
    },
  );

  const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
  check.prop([v4, v4, fc.nat(32)])('says what a BlockList of Node says', (network, address, bits) => {
    const list = new BlockList();
    list.addSubnet(formatAddress(network), bits, 'ipv4');
    const text = formatAddress(address);
    expect(new AddressSet([`${formatAddress(network)}/${bits}`]).check(text)).toBe(list.check(text));
  });
});

test('one text for each address', () => {
  expect(['::ffff:10.0.0.7', '2001:DB8:0::1', 'fe80::1%eth0', '/run/x'].map(canonical)).toEqual([
    '10.0.0.7',
    '2001:db8::1',
    'fe80::1',
    '/run/x',
  ]);
});
