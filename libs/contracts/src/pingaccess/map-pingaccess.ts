import type { ConfigurationInput } from '../configuration.js';
import { listOf, membersOf, type Members } from './export-shape.js';
import type { Draft } from './import-draft.js';
import type { PingAccessImport, PingAccessImportItem } from './import.http.js';
import { mapKeyPair } from './map-key-pairs.js';
import { mapRejectionHandler } from './map-rejection-handlers.js';
import { mapRule } from './map-rule.js';
import { mapTokenProvider } from './map-token-provider.js';
import type { MappingContext } from './mapping-context.js';
import { recogniseRule, type RecognisedRule } from './recognise-rule.js';

/** What an export becomes. */
export interface PingAccessMapping {
  readonly items: readonly PingAccessImportItem[];
  /** What is complete and not there yet; every reference in it is to something in it or something that is there. */
  readonly configuration: ConfigurationInput;
  /** Where in the export stands what is in each section of the configuration, in its order. */
  readonly sources: Readonly<Record<'tokenProviders' | 'keyPairs' | 'rejectionHandlers' | 'rules', readonly string[]>>;
  readonly ignored: PingAccessImport['ignored'];
}

/** The sections that the mapping reads; the rest of an export need not be sent anywhere. */
const sectionsRead =
  /^(rules|rejectionHandlers|keyPairs|trustedCerts|trustedCertGroups|trustedCertificateGroups|tokenProvider)$|^pingfederate|^pingone|oidc|common/i;

/** The part of an export that the mapping reads. */
export function relevantSections(exported: unknown): {
  readonly data: Members;
  readonly ignored: PingAccessImport['ignored'];
} {
  const whole = membersOf(exported);
  const data = 'data' in whole ? membersOf(whole['data']) : whole;
  const relevant = Object.entries(data).filter(([section]) => sectionsRead.test(section));
  const others = Object.entries(data).filter(([section]) => !sectionsRead.test(section));
  return {
    data: Object.fromEntries(relevant),
    ignored: others
      .map(([section, content]) => ({ section, objects: objectsIn(content) }))
      .filter(({ objects }) => objects > 0),
  };
}

const objectsIn = (content: unknown): number =>
  Array.isArray(content) ? content.length : Object.keys(membersOf(content)).length > 0 ? 1 : 0;

/**
 * Makes of an export of PingAccess what Assent has: its token provider, its one-time-authorization rules, and the
 * rejection handlers and key pairs that go with them. Nothing in an export is reason to throw.
 */
export function mapPingAccess(exported: unknown, context: MappingContext): PingAccessMapping {
  const { data, ignored } = relevantSections(exported);
  const all = listOf(data['rules']).map((value) => recogniseRule(value, context.ruleClass));
  const recognised = all.flatMap((rule, index) => (rule === null ? [] : [{ rule, index }]));
  const tokenProvider = mapTokenProvider(data, context);
  const used = keyPairsUsed(recognised.map(({ rule }) => rule));
  const keyPairs = listOf(data['keyPairs']).map((value, index) => mapKeyPair(value, index, used, context));
  const handlers = listOf(data['rejectionHandlers']).map((value, index) => mapRejectionHandler(value, index, context));
  if (recognised.length === 0) tokenProvider.skip('No rule that is imported asks it.');
  refuseRepeated(keyPairs.map(({ draft }) => draft));
  refuseRepeated(handlers.map(({ draft }) => draft));
  const around = {
    tokenProvider,
    keyPairs: new Map(keyPairs.map(({ id, draft }) => [id, draft])),
    rejectionHandlers: new Map(handlers.map(({ id, draft }) => [id, draft])),
  };
  const rules = recognised.map(({ rule, index }) => mapRule(rule, index, around, context));
  refuseRepeated(rules);
  const sections = {
    tokenProviders: [tokenProvider],
    keyPairs: keyPairs.map(({ draft }) => draft),
    rejectionHandlers: handlers.map(({ draft }) => draft),
    rules,
  };
  const others = all.length - recognised.length;
  return {
    items: Object.values(sections).flatMap((drafts: readonly Draft<unknown>[]) => drafts.map((draft) => draft.item())),
    configuration: {
      tokenProviders: made(sections.tokenProviders),
      keyPairs: made(sections.keyPairs),
      rejectionHandlers: made(sections.rejectionHandlers),
      rules: made(sections.rules),
    },
    sources: {
      tokenProviders: sourcesOf(sections.tokenProviders),
      keyPairs: sourcesOf(sections.keyPairs),
      rejectionHandlers: sourcesOf(sections.rejectionHandlers),
      rules: sourcesOf(sections.rules),
    },
    ignored: [...(others > 0 ? [{ section: 'rules of other kinds', objects: others }] : []), ...ignored],
  };
}

const made = <Body>(drafts: readonly Draft<Body>[]): Body[] => drafts.flatMap(({ toCreate }) => toCreate ?? []);
const sourcesOf = (drafts: readonly Draft<unknown>[]): string[] =>
  drafts.flatMap(({ toCreate, source }) => (toCreate === null ? [] : [source]));

const keyPairsUsed = (rules: readonly RecognisedRule[]): Set<string> =>
  new Set(rules.flatMap(({ client }) => (client?.type === 'mutual-tls' ? (client.keyPairId ?? []) : [])));

/** Names tell objects apart: the second of a name cannot come. */
function refuseRepeated(drafts: readonly Draft<unknown>[]): void {
  const seen = new Set<string>();
  for (const draft of drafts) {
    if (draft.outcome !== 'create' && draft.outcome !== 'needs-input') continue;
    if (seen.has(draft.name)) draft.fail('Another object of the export has this name.');
    seen.add(draft.name);
  }
}
