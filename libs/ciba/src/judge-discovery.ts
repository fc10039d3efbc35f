import type { DiscoveryFact, ProviderFacts } from './doctor-facts.js';
import { observe, words, type Observation } from './observation.js';

/** What an answer can have led to; that there was none is told by `judgeConnections`. */
type AnsweredDiscovery = Exclude<DiscoveryFact, { kind: 'unreachable' }>;

/** Whether the provider's document is found, read, and of the configured issuer (OpenID Connect Discovery 1.0 §4). */
export function judgeDiscovery(
  discovery: AnsweredDiscovery,
  { issuer, metadata }: Pick<ProviderFacts, 'issuer' | 'metadata'>,
): Observation[] {
  switch (discovery.kind) {
    case 'unusable':
      return [observe('issuer_unusable', issuer)];
    case 'status':
      return [
        observe(
          discovery.status >= 500 || discovery.status === 429 ? 'discovery_unavailable' : 'discovery_not_found',
          `${discovery.url} answered ${discovery.status}.`,
        ),
      ];
    case 'unreadable':
      return [observe('discovery_unreadable', discovery.url)];
    case 'explicit':
      return [
        observe('discovery_explicit', `Discovery of ${issuer} is not read.`),
        ...(metadata?.['issuer'] === undefined ? [] : judgeIssuer(issuer, metadata['issuer'])),
      ];
    case 'read':
      return judgeIssuer(issuer, metadata?.['issuer']);
  }
}

/** Byte by byte, as ID tokens are compared later (OpenID Connect Discovery 1.0 §4.3). */
function judgeIssuer(configured: string, published: unknown): Observation[] {
  if (published === configured) return [];
  if (typeof published !== 'string') return [observe('issuer_mismatch', 'The document names no issuer.')];
  const detail = `Configured: ${configured} · published: ${words([published])}`;
  const withoutSlash = (issuer: string) => issuer.replace(/\/$/, '');
  const bySlash = withoutSlash(configured) === withoutSlash(published);
  return [observe(bySlash ? 'issuer_trailing_slash' : 'issuer_mismatch', detail)];
}
