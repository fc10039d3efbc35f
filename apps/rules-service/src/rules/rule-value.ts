import type { RuleBody } from '#lib/contracts';
import { providerProfiles, takesHint, type ProviderProfileName } from '#lib/ciba';
import { fapiDefaults, type RuleCredentials, type RuleDefinition } from '#lib/domain';
import type { RuleRow, RuleValue } from '#lib/persistence';
import type { ProblemError } from '#lib/runtime';
import { invalidMember } from '../http/invalid-member.js';
import { refuseUnfitForFapi } from './refuse-unfit-for-fapi.js';

/** @throws ProblemError for a rule that cannot work */
export function newRule(body: RuleBody): RuleValue {
  const value = valueOf(body);
  if (body.clientCredentials.type === 'secret' && value.clientSecret === null) throw secretMissing();
  return value;
}

/**
 * A change of a rule. A secret that is left out stays, when there is one.
 *
 * @throws ProblemError for a rule that cannot work
 */
export function changedRule(body: RuleBody, current: RuleRow): RuleValue {
  const value = valueOf(body);
  const kept = current.definition.clientCredentials.type === 'secret' && current.clientSecretSetAt !== null;
  if (body.clientCredentials.type === 'secret' && value.clientSecret === null && !kept) throw secretMissing();
  return value;
}

function valueOf(body: RuleBody): RuleValue {
  refuseUnfitForFapi(body);
  refuseSubjectMismatch(body);
  const { clientCredentials: credentials } = body;
  const defaults = fapiDefaults(body);
  return {
    definition: { ...defaults, ...body, clientCredentials: withoutSecret(credentials) },
    clientSecret: credentials.type === 'secret' ? (credentials.clientSecret ?? null) : null,
  };
}

/**
 * The body that would make the rule as it is. What is as it would be without a word is left out, so that a patch of
 * `fapi` brings with it what FAPI asks for.
 */
export function ruleBodyOf(definition: RuleDefinition): object {
  const defaults = fapiDefaults(definition);
  const unsaid = (['signedRequest', 'dpop'] as const).filter((member) => definition[member] === defaults[member]);
  return Object.fromEntries(Object.entries(definition).filter(([member]) => !unsaid.some((one) => one === member)));
}

function refuseSubjectMismatch({ subjectPolicy, subjectAttribute }: RuleBody): void {
  if ((subjectPolicy === 'bound') === (subjectAttribute !== null)) return;
  const detail =
    subjectAttribute === null
      ? 'Name the attribute that holds the expected subject.'
      : 'Only the subject policy "bound" looks at an attribute.';
  throw invalidMember('/subjectAttribute', detail);
}

/**
 * Refuses what the provider of this profile does not take.
 *
 * @throws ProblemError
 */
export function refuseUnknownToProvider(
  { hintKind, extraParameters }: Pick<RuleBody, 'hintKind' | 'extraParameters'>,
  profile: ProviderProfileName,
): void {
  if (!takesHint(profile, hintKind)) {
    throw invalidMember('/hintKind', `Providers of the profile ${profile} take no ${hintKind}.`);
  }
  const taken = providerProfiles[profile].extraParameters;
  const unknown = Object.keys(extraParameters).find((name) => !taken.includes(name));
  if (unknown !== undefined) {
    const known = taken.length === 0 ? 'none' : taken.join(', ');
    const detail = `Providers of the profile ${profile} know no such parameter; they know: ${known}.`;
    throw invalidMember(`/extraParameters/${unknown}`, detail);
  }
}

function withoutSecret(credentials: RuleBody['clientCredentials']): RuleCredentials {
  if (credentials.type !== 'secret') return credentials;
  return { type: 'secret', method: credentials.method };
}

const secretMissing = (): ProblemError =>
  invalidMember('/clientCredentials/clientSecret', 'Give the client secret that the provider knows for this client.');
