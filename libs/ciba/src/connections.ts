import { buildConnector, Pool } from 'undici';
import type { Target } from './exchange.js';
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

/** Keep-alive connections, shared by everyone who goes to the same origin with the same certificates. */
export class Connections {
  private readonly pools = new RecentMap<string, Pool>(rememberedPools);

  constructor(private readonly connect: ConnectorFactory) {}

  /**
   * Finds the pool for a URL.
   *
   * @param identity stands for the TLS material: equal identities have equal material.
   */
  target(url: string, identity: string, tls: TlsMaterial): Target {
    const { origin, pathname, search } = new URL(url);
    const key = `${origin} ${identity}`;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connect: this.connect(tls),
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
    await Promise.all([...this.pools.values()].map((pool) => pool.close()));
  }
}
