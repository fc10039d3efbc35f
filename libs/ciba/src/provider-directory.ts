import { allowInsecureRequests, customFetch, discovery, None } from 'openid-client';
import { AgingCache } from './aging-cache.js';
import type { CibaLog } from './ciba-log.js';
import type { Connections } from './connections.js';
import { fetchDocument } from './documents.js';
import { faultMessage, ProviderMisconfigured, ProviderUnavailable } from './provider-faults.js';
import { readProviderMetadata, readUrl, type MetadataDocument, type ProviderMetadata } from './provider-metadata.js';
import type { ProviderSettings } from './registration.js';
import { providerTls } from './tls-material.js';

/** What the directory needs to know about its surroundings. */
export interface DirectoryOptions {
  readonly connections: Connections;
  readonly allowInsecureHttp: boolean;
  readonly timeoutMs: number;
  /** A clock that never runs backwards. */
  readonly nowMs: () => number;
  readonly log: CibaLog;
}

const limits = { refreshAfterMs: 300_000, maximumAgeMs: 600_000, rememberFailureMs: 3_000, maximumSize: 1_000 };

/** The providers' metadata: given explicitly, or discovered and kept for ten minutes at most. */
export class ProviderDirectory {
  private readonly cache: AgingCache<ProviderMetadata>;

  constructor(private readonly options: DirectoryOptions) {
    this.cache = new AgingCache(limits, options.nowMs, (provider, reason) =>
      options.log('warn', "a provider's metadata could not be refreshed", { provider, reason: faultMessage(reason) }),
    );
  }

  /**
   * Finds a provider's metadata; without a promise when it is known.
   *
   * @throws ProviderUnavailable | ProviderMisconfigured (or rejects with them).
   */
  find(provider: ProviderSettings): ProviderMetadata | Promise<ProviderMetadata> {
    return this.cache.get(provider.id, () => this.load(provider));
  }

  private async load(provider: ProviderSettings): Promise<ProviderMetadata> {
    const metadata = provider.metadata ?? (await this.discover(provider));
    return readProviderMetadata(metadata, provider.issuer, this.options.allowInsecureHttp);
  }

  /**
   * The library knows where to look; reading the document is ours, with all its limits, and so is the exact comparison of
   * the issuer, which the library mends.
   */
  private async discover(provider: ProviderSettings): Promise<MetadataDocument> {
    const { connections, allowInsecureHttp, timeoutMs } = this.options;
    const issuer = readUrl(provider.issuer, 'issuer', allowInsecureHttp);
    let fault: unknown = null;
    try {
      const configuration = await discovery(issuer, 'assent', undefined, None(), {
        execute: allowInsecureHttp ? [allowInsecureRequests] : [],
        timeout: timeoutMs / 1000,
        [customFetch]: async (url) => {
          try {
            const target = connections.target(url, provider.id, providerTls(provider));
            return Response.json(Object.fromEntries(await fetchDocument(target, timeoutMs)));
          } catch (error) {
            fault = error;
            throw error;
          }
        },
      });
      return { ...configuration.serverMetadata() };
    } catch (error) {
      if (fault instanceof ProviderUnavailable || fault instanceof ProviderMisconfigured) throw fault;
      throw new ProviderMisconfigured('the discovery document is not that of the configured issuer', { cause: error });
    }
  }
}
