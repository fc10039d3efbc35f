import type { FindingCode } from '#lib/contracts';
import type { OriginFact, ProviderFacts } from './doctor-facts.js';
import { observe, type Observation } from './observation.js';

const dayMs = 86_400_000;

/** Whether every host that clients call is reached, with a certificate that holds for more than 30 days. */
export function judgeOrigins(
  { origins, discovery }: Pick<ProviderFacts, 'origins' | 'discovery'>,
  now: Date,
): Observation[] {
  const discoveryOrigin = discovery.kind === 'unreachable' ? new URL(discovery.url).origin : null;
  return origins.flatMap((fact) => {
    if (fact.kind === 'reached') return judgeCertificate(fact, now);
    if (isTlsFault(fact.code)) return [observe(tlsFinding(fact.code), `${fact.origin}: ${fact.code}.`)];
    // `judgeDiscovery` says so already.
    if (fact.origin === discoveryOrigin) return [];
    return [observe('address_unreachable', `${fact.origin}: ${fact.code}.`)];
  });
}

function judgeCertificate(fact: Extract<OriginFact, { kind: 'reached' }>, now: Date): Observation[] {
  const { origin, notAfter } = fact;
  if (origin.startsWith('http:')) return [observe('tls_not_used', origin)];
  if (notAfter === null || Number.isNaN(notAfter.getTime())) return [];
  const leftMs = notAfter.getTime() - now.getTime();
  const detail = `${origin}: valid until ${notAfter.toISOString()}.`;
  if (leftMs <= 0) return [observe('tls_certificate_expired', detail)];
  if (leftMs <= 7 * dayMs) return [observe('tls_certificate_expires_this_week', detail)];
  return leftMs <= 30 * dayMs ? [observe('tls_certificate_expires_soon', detail)] : [];
}

const tlsFindings: Readonly<Record<string, FindingCode>> = {
  CERT_HAS_EXPIRED: 'tls_certificate_expired',
  CERT_NOT_YET_VALID: 'tls_certificate_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_certificate_for_another_name',
  HOSTNAME_MISMATCH: 'tls_certificate_for_another_name',
};

function tlsFinding(code: string): FindingCode {
  const known = tlsFindings[code];
  if (known !== undefined) return known;
  return /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA)/.test(code)
    ? 'tls_certificate_untrusted'
    : 'tls_failed';
}

/** Whether a connection failed because of TLS, by its code; such a fault is told by `judgeOrigins` and nobody else. */
export function isTlsFault(code: string): boolean {
  return /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_|EPROTO)/.test(
    code,
  );
}
