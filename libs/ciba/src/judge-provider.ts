import { providerFindings, type ProviderFinding } from '#lib/contracts';
import type { ProviderFacts, RuleFacts } from './doctor-facts.js';
import { isAccepted, judgeClient } from './judge-client.js';
import { judgeConnections } from './judge-connections.js';
import { judgeDiscovery } from './judge-discovery.js';
import { judgeKeys } from './judge-keys.js';
import { judgeMetadata } from './judge-metadata.js';
import { judgeWishes } from './judge-wishes.js';
import { likelyProfile } from './likely-profile.js';
import { observe, type Observation } from './observation.js';

const toleratedClockMs = 2_000;
const fatalClockMs = 60_000;

/** Turns what was seen into what it means and what to do: errors first. */
export function judgeProvider(facts: ProviderFacts, now: Date): ProviderFinding[] {
  const { discovery } = facts;
  const observations = [
    ...(discovery.kind === 'unreachable' ? [] : judgeDiscovery(discovery, facts)),
    ...judgeKind(facts),
    ...judgeConnections(facts, now),
    ...judgeClock(facts),
    ...judgePublished(facts),
    ...facts.rules.flatMap((rule) => judgeRule(facts, rule, now)),
    ...(facts.moreRules
      ? [observe('rules_left_out', `${facts.rules.length} rules were looked at, oldest first.`)]
      : []),
  ];
  const findings = observations.map(({ code, detail, rule }): ProviderFinding => ({
    code,
    ...providerFindings[code],
    ...(rule !== undefined && { rule }),
    detail,
  }));
  const order = ['error', 'warning', 'note'];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function judgeKind({ issuer, metadata, profile }: ProviderFacts): Observation[] {
  const likely = likelyProfile(issuer, metadata);
  if (likely === null || likely === profile) return [];
  return [observe('profile_unlikely', `It looks like ${likely}; the profile is ${profile}.`)];
}

function judgeClock({ clock }: ProviderFacts): Observation[] {
  const { aheadMs } = clock;
  if (aheadMs === null) return [];
  const offMs = Math.abs(aheadMs);
  if (offMs <= toleratedClockMs) return [];
  const detail = `The provider's clock is ${Math.round(offMs / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours.`;
  return [observe(offMs > fatalClockMs ? 'clock_far_off' : 'clock_difference', detail)];
}

function judgePublished(facts: ProviderFacts): Observation[] {
  const { metadata, clock, keys } = facts;
  if (metadata === null) return [];
  return [
    ...judgeMetadata(facts, metadata),
    // Without metadata hardly anybody was called, so that silence about the time means nothing.
    ...(clock.aheadMs === null ? [observe('clock_unknown', 'No answer had a Date header.')] : []),
    ...judgeKeys(keys, metadata),
  ];
}

function judgeRule(facts: ProviderFacts, ruleFacts: RuleFacts, now: Date): Observation[] {
  const { rule } = ruleFacts;
  const observations = [...judgeClient(ruleFacts, now), ...judgeWishes(facts, ruleFacts, isAccepted(ruleFacts))];
  return observations.map((observation) => ({ ...observation, rule }));
}
