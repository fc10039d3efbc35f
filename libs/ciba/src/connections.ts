import { buildConnector, Pool } from 'undici';
import type { Target } from './exchange.js';
import { ProviderUnavailable } from './provider-faults.js';
import { RecentMap } from './recent-map.js';

const connectTimeoutMs = 5_000;
const connectionsPerOrigin = 256;
const rememberedPools = 1_000;

/** What a TLS connection is made with; PEM. */
export interface TlsMaterial {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

/** Opens connections with the given certificates; the place for whoever guards where they may lead. */
export type ConnectorFactory = (tls: TlsMaterial) => buildConnector.connector;

/** Connects without a guard. */
export const openConnector: ConnectorFactory = (tls) => buildConnector({ ...tls, timeout: connectTimeoutMs });

/**
 * Lets the first error of a connection end it. Otherwise a TLS alert is followed by an ordinary end of the connection,
 * which hides why; and the alert that refuses our certificate is the difference between "not accepted" and "unknown".
 */
function keepFirstError(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result: Parameters<buildConnector.Callback>) => {
      const [, socket] = result;
      socket?.once('error', (error: Error) => socket.destroy(error));
      callback(...result);
    });
}

/** Keep-alive connections, shared by everyone who goes to the same origin with the same certificates. */
export class Connections {
  private closed = false;
  private readonly pools = new RecentMap<string, Pool>(rememberedPools);

  constructor(private readonly connect: ConnectorFactory) {}

  /**
   * Finds the pool for a URL.
   *
   * @param identity stands for the TLS material: equal identities have equal material.
   * @throws ProviderUnavailable after `close`.
   */
  target(url: string, identity: string, tls: TlsMaterial): Target {
    if (this.closed) throw new ProviderUnavailable('the connections are closed');
    const { origin, pathname, search } = new URL(url);
    const key = `${origin} ${identity}`;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connect: keepFirstError(this.connect(tls)),
        connections: connectionsPerOrigin,
        pipelining: 1,
        // One deadline covers a whole exchange; see exchange.ts.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      // A pool that is forgotten is not closed: calls may be under way, and idle connections close by themselves.
      this.pools.set(key, pool);
    }
    return { url, pool, path: pathname + search };
  }

  /** Resolves when what is under way has ended and every connection is closed. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await Promise.all([...this.pools.values()].map((pool) => pool.close()));
  }
}
