import type { FindingCode } from '#lib/contracts';
import { daysLeft } from '#lib/domain';
import type { OriginFact, ProviderFacts } from './doctor-facts.js';
import { observe, type Observation } from './observation.js';

/**
 * Whether the provider is reached: for its discovery document, and at every host that clients call, with a certificate
 * that holds for more than 30 days. A connection that fails is told of once: as a fault of TLS if it is one, else by the
 * discovery document that could not be had, else by its host.
 */
export function judgeConnections(
  { discovery, origins }: Pick<ProviderFacts, 'discovery' | 'origins'>,
  now: Date,
): Observation[] {
  const lost = discovery.kind === 'unreachable' ? { ...discovery, origin: new URL(discovery.url).origin } : null;
  const isLost = ({ origin }: OriginFact) => origin === lost?.origin;
  const observations = origins.flatMap((fact) => {
    if (fact.kind === 'reached') return judgeCertificate(fact, now);
    const finding = tlsFinding(fact.code) ?? (isLost(fact) ? null : 'address_unreachable');
    return finding === null ? [] : [observe(finding, `${fact.origin}: ${fact.code}.`)];
  });
  if (lost === null || origins.some((fact) => isLost(fact) && isTlsFault(fact))) return observations;
  return [judgeLostDocument(lost), ...observations];
}

function judgeLostDocument({ url, code }: { readonly url: string; readonly code: string }): Observation {
  if (code === 'OUTBOUND_REFUSED') return observe('discovery_refused_by_guard', url);
  return observe('discovery_unreachable', `${url}: ${code}.`);
}

function judgeCertificate(fact: Extract<OriginFact, { kind: 'reached' }>, now: Date): Observation[] {
  const { origin, notAfter } = fact;
  if (origin.startsWith('http:')) return [observe('tls_not_used', origin)];
  if (notAfter === null || Number.isNaN(notAfter.getTime())) return [];
  const left = daysLeft(notAfter, now);
  const detail = `${origin}: valid until ${notAfter.toISOString()}.`;
  if (left <= 0) return [observe('tls_certificate_expired', detail)];
  if (left <= 7) return [observe('tls_certificate_expires_this_week', detail)];
  return left <= 30 ? [observe('tls_certificate_expires_soon', detail)] : [];
}

const tlsFindings: Readonly<Record<string, FindingCode>> = {
  CERT_HAS_EXPIRED: 'tls_certificate_expired',
  CERT_NOT_YET_VALID: 'tls_certificate_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_certificate_for_another_name',
  HOSTNAME_MISMATCH: 'tls_certificate_for_another_name',
};

/** What a fault of TLS is called, by the code of the connection; null for a connection that failed otherwise. */
function tlsFinding(code: string): FindingCode | null {
  const known = tlsFindings[code];
  if (known !== undefined) return known;
  if (/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA)/.test(code)) return 'tls_certificate_untrusted';
  return /^(ERR_TLS_|ERR_SSL_|EPROTO)/.test(code) ? 'tls_failed' : null;
}

const isTlsFault = (fact: OriginFact): boolean => fact.kind === 'unreachable' && tlsFinding(fact.code) !== null;
