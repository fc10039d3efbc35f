import { BlockList, isIP } from 'node:net';

/** A network as a block list wants it: address, prefix length in bits, family. */
export type Network = readonly [address: string, prefixBits: number, family: 'ipv4' | 'ipv6'];

/**
 * Reads a network like `10.0.0.0/8`.
 *
 * @throws Error with the name of the setting
 */
export function parseNetwork(cidr: string, setting: string): Network {
  const [address = '', prefix = '', ...more] = cidr.split('/');
  const family = isIP(address);
  const bits = Number(prefix);
  if (family === 0 || more.length > 0 || !/^\d+$/.test(prefix) || bits > (family === 6 ? 128 : 32)) {
    throw new Error(`${setting}: "${cidr}" is not a network like 10.0.0.0/8.`);
  }
  return [address, bits, family === 6 ? 'ipv6' : 'ipv4'];
}

/** A list of networks that addresses can be looked up in. */
export function blockList(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [network, prefixBits, family] of networks) list.addSubnet(network, prefixBits, family);
  return list;
}

/** Whether an address is in one of the networks; an IPv4 address inside an IPv6 one is taken for what it is. */
export function isWithin(list: BlockList, address: string): boolean {
  const plain = unmapped(address);
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

/** An IPv4 address inside an IPv6 one (RFC 4291 §2.5.5.2) as what it is; others as they are. */
export function unmapped(address: string): string {
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (dotted) return dotted[1]!;
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (!hex) return address;
  const high = Number.parseInt(hex[1]!, 16);
  const low = Number.parseInt(hex[2]!, 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
