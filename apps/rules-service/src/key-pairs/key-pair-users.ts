import type { KeyPair, Page } from '#lib/contracts';
import type { Database } from '#lib/persistence';
import type { Answer } from '../http/answer.js';

/** Adds to documents of key pairs who uses them. */
export class KeyPairUsers {
  constructor(private readonly keyPairs: Pick<Database['keyPairs'], 'usersOf'>) {}

  async in(answer: Promise<Answer>): Promise<Answer> {
    const { body, ...rest } = await answer;
    const [document] = await this.on([body as object]);
    return { ...rest, body: document };
  }

  async inPage(answer: Promise<Answer<Page<object>>>): Promise<Answer> {
    const { body, ...rest } = await answer;
    return { ...rest, body: { ...body, data: await this.on(body!.data) } };
  }

  private async on(documents: readonly object[]): Promise<object[]> {
    const ids = documents.map((document) => (document as { id: string }).id);
    const users = ids.length === 0 ? [] : await this.keyPairs.usersOf(ids);
    return documents.map((document, index) => {
      const mine = users.filter(({ keyPairId }) => keyPairId === ids[index]);
      const providers = new Map(mine.map(({ tokenProvider }) => [tokenProvider.id, tokenProvider]));
      const usedBy: KeyPair['usedBy'] = {
        rules: mine.map(({ rule }) => rule),
        tokenProviders: [...providers.values()],
      };
      return { ...document, usedBy };
    });
  }
}
