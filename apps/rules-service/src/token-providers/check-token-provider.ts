import { randomUUID } from 'node:crypto';
import { CibaClient, ProviderMisconfigured, ProviderUnavailable } from '#lib/ciba';
import type { Database, TokenProviderRow } from '#lib/persistence';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

/** Looks at a provider now, and notes what was found. */
@Injectable()
export class CheckTokenProvider implements OnApplicationShutdown {
  constructor(
    private readonly providers: Pick<Database['tokenProviders'], 'find' | 'recordDiscovery'>,
    private readonly ciba: Pick<CibaClient, 'discover' | 'close'>,
  ) {}

  /** Does nothing when there is no such provider. */
  async run(id: string): Promise<void> {
    const provider = await this.providers.find(id);
    if (provider === null) return;
    const problem = await this.problemOf(provider);
    const fine = provider.metadata === null ? 'ok' : 'explicit';
    await this.providers.recordDiscovery(id, {
      state: problem === null ? fine : 'failed',
      checkedAt: new Date(),
      problem,
    });
  }

  onApplicationShutdown(): Promise<void> {
    return this.ciba.close();
  }

  private async problemOf(provider: TokenProviderRow): Promise<string | null> {
    try {
      // An id of its own for each look: what was found before does not count.
      await this.ciba.discover({ ...provider, id: randomUUID() });
      return null;
    } catch (error) {
      if (error instanceof ProviderUnavailable || error instanceof ProviderMisconfigured) return error.message;
      throw error;
    }
  }
}
