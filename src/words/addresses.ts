/** Which network addresses are public: the way out of the fence, and the way of progress, lead to nothing else. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 sibling: everything that is not globally reachable. */
const special: [address: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
const blocked4 = new BlockList();
for (const [address, prefix] of special) blocked4.addSubnet(address, prefix, 'ipv4');
/** Azure's metadata and DNS, outside of every reserved range. */
blocked4.addAddress('168.63.129.16', 'ipv4');

/** Of IPv6 only global unicast is public, and of that not what carries an IPv4 address or is documentation. */
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
const blocked6 = new BlockList();
for (const [address, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  blocked6.addSubnet(address, prefix, 'ipv6');

/** False for loopback, private, link-local, shared, metadata, mapped, multicast and reserved addresses, and for no address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !blocked4.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  return global6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6');
}
