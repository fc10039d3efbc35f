import type { KeyPair, Page } from '#lib/contracts';
import type { Database } from '#lib/persistence';
import type { Answer } from '../http/answer.js';
import { extendDocument, extendPage } from '../http/extend-documents.js';

/** Adds to documents of key pairs who uses them. */
export class KeyPairUsers {
  constructor(private readonly keyPairs: Pick<Database['keyPairs'], 'usersOf'>) {}

  in(answer: Promise<Answer>): Promise<Answer> {
    return extendDocument(answer, this.on);
  }

  inPage(answer: Promise<Answer<Page<object>>>): Promise<Answer> {
    return extendPage(answer, this.on);
  }

  private readonly on = async (documents: readonly object[]): Promise<object[]> => {
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
  };
}
