import { lookup as askSystem } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { blockList, isWithin, parseNetwork, type Network } from './networks.js';

/** Where a process may call. */
export interface OutboundGuardOptions {
  /** Accept plain http and loopback addresses. */
  readonly allowLoopback: boolean;
  /** Private networks (CIDR) that may be called. */
  readonly allowedNetworks: readonly string[];
  /** Ports that may be called; none named: every port. */
  readonly allowedPorts?: readonly number[];
  /** Resolves names; the system does when it is left out. */
  readonly lookup?: LookupFunction;
}

/** What a TLS connection of ours brings along. */
export interface ConnectionTls {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** The address may not be called. */
export class OutboundRefused extends Error {
  override readonly name = 'OutboundRefused';
  readonly code = 'OUTBOUND_REFUSED';
}

/**
 * Keeps calls to addresses that others chose away from our own network: the literal host, every resolved address and
 * the connected socket are judged, because each alone can be got around. No connection is opened to what is refused.
 */
export interface OutboundGuard {
  /** What is wrong with an address by its text alone; null when nothing is. Resolves no name. */
  problem(url: string): string | null;
  /** An undici connector that connects to permitted addresses only. */
  connector(tls?: ConnectionTls): buildConnector.connector;
}

/** Everything that is not the public internet (RFC 6890 and its successors). */
const special: readonly Network[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  // Looks public, and is the host's own in one large cloud.
  ['168.63.129.16', 32, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['::', 96, 'ipv6'],
  ['::ffff:0:0:0', 96, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['100::', 64, 'ipv6'],
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
  ['5f00::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

/** Makes the guard of a process. */
export function createOutboundGuard(options: OutboundGuardOptions): OutboundGuard {
  const { lookup = askSystem, allowedPorts: ports = [] } = options;
  const denied = blockList(special);
  const permitted = blockList(options.allowedNetworks.map((cidr) => parseNetwork(cidr, 'ASSENT_ALLOWED_NETWORKS')));
  if (options.allowLoopback) {
    permitted.addSubnet('127.0.0.0', 8, 'ipv4');
    permitted.addAddress('::1', 'ipv6');
  }

  const refusal = (found: string): string | null => {
    // A zone names an interface of ours (RFC 4007 §11); what it belongs to is judged without it.
    const address = found.replace(/%.*$/, '');
    if (isIP(address) === 0) return 'its name does not lead to an address';
    if (isWithin(permitted, address)) return null;
    return isWithin(denied, address) ? `${address} is not a public address` : null;
  };

  const problem = (text: string): string | null => {
    if (!URL.canParse(text)) return 'it is not an absolute address';
    const url = new URL(text);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.allowLoopback)) return 'it is not https';
    if (ports.length > 0 && !ports.includes(portOf(url)))
      return `port ${portOf(url)} is not among those that may be called`;
    if (url.username !== '' || url.password !== '') return 'it has a user name or password';
    // The parser has already turned every spelling of an IPv4 address into its plain form.
    const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '');
    if (isIP(host) !== 0) return refusal(host);
    const local = host === 'localhost' || host.endsWith('.localhost');
    return local && !options.allowLoopback ? 'it names this machine' : null;
  };

  // Judged where the answer is used: between two questions a name may change where it leads (DNS rebinding).
  const judgedLookup: LookupFunction = (host, options, callback) =>
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }];
      const reasons = addresses.map(({ address }) => refusal(address)).filter((reason) => reason !== null);
      if (addresses.length === 0) reasons.push('its name leads nowhere');
      if (reasons.length > 0) return callback(new OutboundRefused(`Refused to connect: ${reasons[0]}.`), []);
      if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });

  const connector = (tls: ConnectionTls = {}): buildConnector.connector => {
    const connect = buildConnector({
      timeout: 10_000,
      minVersion: 'TLSv1.2',
      lookup: judgedLookup,
      ...(tls.ca && tls.ca.length > 0 && { ca: [...tls.ca] }),
      ...(tls.cert && { cert: tls.cert }),
      ...(tls.key && { key: tls.key }),
    });

    return (target, callback) => {
      const scheme = target.protocol === 'http:' ? 'http' : 'https';
      const literal = problem(
        `${scheme}://${bracketed(target.hostname)}:${target.port || (scheme === 'http' ? 80 : 443)}/`,
      );
      if (literal !== null) return callback(new OutboundRefused(`Refused to connect: ${literal}.`), null);
      connect(target, (error, socket) => {
        if (error) return callback(error, null);
        // What the socket says counts last, whatever led there.
        const reached = refusal(socket.remoteAddress ?? 'unknown');
        if (reached === null) return callback(null, socket);
        socket.destroy();
        callback(new OutboundRefused(`Refused to connect: ${reached}.`), null);
      });
    };
  };

  return { problem, connector };
}

// A parsed address leaves the usual port out.
const portOf = ({ port, protocol }: URL): number => (port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port));

const bracketed = (hostname: string): string => (isIP(hostname) === 6 ? `[${hostname}]` : hostname);
