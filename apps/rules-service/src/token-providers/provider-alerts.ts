import type { Page, ProviderAlert } from '#lib/contracts';
import type { ClientRefusalAlert, Database } from '#lib/persistence';
import type { Answer } from '../http/answer.js';
import { extendDocument, extendPage } from '../http/extend-documents.js';

/** Adds to documents of token providers what needs somebody's attention there. */
export class ProviderAlerts {
  constructor(private readonly clientRefusals: Pick<Database['clientRefusals'], 'ofTokenProviders'>) {}

  in(answer: Promise<Answer>): Promise<Answer> {
    return extendDocument(answer, this.on);
  }

  inPage(answer: Promise<Answer<Page<object>>>): Promise<Answer> {
    return extendPage(answer, this.on);
  }

  private readonly on = async (documents: readonly object[]): Promise<object[]> => {
    const ids = documents.map((document) => (document as { id: string }).id);
    const refusals = ids.length === 0 ? [] : await this.clientRefusals.ofTokenProviders(ids);
    return documents.map((document, index) => ({
      ...document,
      alerts: refusals.filter(({ tokenProviderId }) => tokenProviderId === ids[index]).map(toAlert),
    }));
  };
}

const toAlert = ({ rule, call, error, firstAt, lastAt, pausedUntil }: ClientRefusalAlert): ProviderAlert => ({
  code: 'client_refused',
  rule,
  call,
  error,
  since: firstAt.toISOString(),
  lastAt: lastAt.toISOString(),
  pausedUntil: pausedUntil.toISOString(),
});
