import type { Page, ProviderAlert } from '#lib/contracts';
import type { ClientRefusalAlert, Database } from '#lib/persistence';
import type { Answer } from '../http/answer.js';

/** Adds to documents of token providers what needs somebody's attention there. */
export class ProviderAlerts {
  constructor(private readonly clientRefusals: Pick<Database['clientRefusals'], 'ofTokenProviders'>) {}

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
    const refusals = ids.length === 0 ? [] : await this.clientRefusals.ofTokenProviders(ids);
    return documents.map((document, index) => ({
      ...document,
      alerts: refusals.filter(({ tokenProviderId }) => tokenProviderId === ids[index]).map(toAlert),
    }));
  }
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
