import { requestedDetails, type Attributes, type RuleDefinition } from '#lib/domain';
import { hintSubject } from './hints.js';
import type { EvidenceExpectation } from './outcomes.js';

/** What all requests of one version of a rule expect. */
export type ExpectedTerms = Pick<EvidenceExpectation, 'clientId' | 'requestedScope' | 'acrValues'> &
  Pick<RuleDefinition, 'deliveryMode'>;

/** What was asked of one person. */
export interface AskedOfPerson {
  readonly definition: Pick<RuleDefinition, 'authorizationDetails' | 'subjectPolicy' | 'subjectAttribute' | 'hintKind'>;
  readonly attributes: Attributes;
  readonly loginHint: string;
}

/** What the answer to a request is held against; `asked` is null where the rule says all that there is to prove. */
export const expectationOf = (
  { clientId, requestedScope, acrValues, deliveryMode }: ExpectedTerms,
  { sentAt, authReqId }: Pick<EvidenceExpectation, 'sentAt' | 'authReqId'>,
  asked: AskedOfPerson | null,
  issuer: string,
): EvidenceExpectation => ({
  clientId,
  requestedScope,
  sentAt,
  acrValues,
  authorizationDetails: asked && requestedDetails(asked.definition, asked.attributes),
  expectedSubject: asked && expectedSubject(asked, issuer),
  authReqId,
  pushed: deliveryMode === 'push',
});

/** Null: anybody's approval counts. A subject that cannot be told is empty, which no subject is. */
function expectedSubject({ definition, attributes, loginHint }: AskedOfPerson, issuer: string): string | null {
  const { subjectPolicy, subjectAttribute, hintKind } = definition;
  switch (subjectPolicy) {
    case 'record':
      return null;
    case 'hint':
      return hintSubject(hintKind, loginHint, issuer) ?? '';
    case 'bound':
      return subjectAttribute !== null && Object.hasOwn(attributes, subjectAttribute)
        ? String(attributes[subjectAttribute])
        : '';
  }
}
