import { startRequestOf, type CibaClient, type StartPreview } from '#lib/ciba';
import type { RulePreview, RulePreviewBody } from '#lib/contracts';
import { isSealed, MissingRow, type Database, type RuleForSubmit, type StoredRegistration } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import type { OnApplicationShutdown } from '@nestjs/common';
import { openedHint, personHint } from '../authorization-requests/person-hint.js';
import { messageUnder, refuseMissingAttributes } from '../authorization-requests/question.js';

/** Stands for what every request gets anew. */
const madeAnew = '(made for each request)';

/** Shows the request that a rule would send for some attributes, composed by the code that sends it; nobody is asked. */
export class PreviewRule implements OnApplicationShutdown {
  constructor(
    private readonly database: Pick<Database, 'rules' | 'registrations' | 'encryptionKeys'>,
    private readonly ciba: Pick<CibaClient, 'preview' | 'close'>,
  ) {}

  /** @throws ProblemError `not_found`, and what a submission with these attributes is refused with */
  async run(id: string, { attributes, bindingMessage: own }: RulePreviewBody): Promise<RulePreview> {
    const rule = await this.database.rules.findForSubmit(id);
    if (rule === null || rule.id !== id.toLowerCase()) throw new ProblemError('not_found', 'There is no such rule.');
    const { definition } = rule;
    const readable = await openedHint(rule, attributes, this.database.encryptionKeys);
    const loginHint = personHint(rule, readable);
    refuseMissingAttributes(definition, attributes);
    const bindingMessage = messageUnder(rule, own, attributes);
    const question = { definition, attributes, loginHint, bindingMessage, userCode: null };
    const preview = await this.preview(rule, question);
    return {
      rule: { id: rule.id, name: definition.name, version: rule.version },
      bindingMessage,
      request:
        preview.kind === 'composed'
          ? {
              ...preview.call,
              headers: { ...preview.call.headers },
              form: { ...preview.call.form },
              signed: { ...preview.call.signed },
              clientCertificate: definition.clientCredentials.type === 'mutual-tls',
            }
          : null,
      problem: preview.kind === 'composed' ? null : { kind: preview.kind, detail: preview.detail },
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ciba.close();
  }

  private async preview(
    { id, version }: RuleForSubmit,
    question: Parameters<typeof startRequestOf>[0],
  ): Promise<StartPreview> {
    let registration: StoredRegistration;
    try {
      registration = await this.database.registrations.load({ id, version });
    } catch (error) {
      if (error instanceof MissingRow) return { kind: 'misconfigured', detail: error.message };
      if (isSealed(error)) {
        return {
          kind: 'misconfigured',
          detail: 'A secret of this rule does not open with the configured master keys.',
        };
      }
      throw error;
    }
    const token = question.definition.deliveryMode === 'poll' ? null : madeAnew;
    return this.ciba.preview(registration, startRequestOf(question, token, registration.fapi ? madeAnew : null));
  }
}
