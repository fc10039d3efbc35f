import type { ProviderFacts } from './doctor-facts.js';
import { isTlsFault } from './judge-origins.js';
import { observe, words, type Observation } from './observation.js';

/** Whether the provider's document is found, read, and of the configured issuer (OpenID Connect Discovery 1.0 §4). */
export function judgeDiscovery({
  discovery,
  issuer,
  metadata,
  origins,
}: Pick<ProviderFacts, 'discovery' | 'issuer' | 'metadata' | 'origins'>): Observation[] {
  switch (discovery.kind) {
    case 'unusable':
      return [observe('issuer_unusable', issuer)];
    case 'unreachable':
      return judgeUnreachable(origins, discovery.url, discovery.code);
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

/** A connection that TLS refused is told as such, once: by `judgeOrigins`. */
function judgeUnreachable(origins: ProviderFacts['origins'], url: string, code: string): Observation[] {
  const { origin } = new URL(url);
  const isTold = origins.some((fact) => fact.origin === origin && fact.kind === 'unreachable' && isTlsFault(fact.code));
  if (isTold) return [];
  if (code === 'OUTBOUND_REFUSED') return [observe('discovery_refused_by_guard', url)];
  return [observe('discovery_unreachable', `${url}: ${code}.`)];
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
