import type { FindingCode } from '#lib/contracts';
import { certificateStatus, type CertificateStatus } from '#lib/domain';
import type { RuleFacts, TrialFact } from './doctor-facts.js';
import { observe, words, type Observation } from './observation.js';

type ClientFacts = Pick<RuleFacts, 'asks' | 'clientId' | 'credentials' | 'trial' | 'refusals'>;

/** Whether the provider lets the client of a rule in: by the trial, earlier refusals, and the dates of its key pair. */
export function judgeClient(client: ClientFacts, now: Date): Observation[] {
  return [...judgeTrial(client), ...judgeRefusals(client), ...judgeKeyPair(client, now)];
}

/** Answers about the request, which does not exist: the client has passed. */
const codesAfterTheClient = new Set([
  'access_denied',
  'authorization_pending',
  'expired_token',
  'invalid_grant',
  'slow_down',
  'transaction_failed',
]);

/**
 * Whether the answer to the trial call says that the client was let in. One that is registered for push has nothing to
 * ask a token endpoint for, which says so with `unauthorized_client` (CIBA Core 1.0 §11).
 */
export function isAccepted({ trial, asks }: Pick<RuleFacts, 'trial' | 'asks'>): boolean {
  if (trial.kind !== 'answered' || trial.carriesTokens) return false;
  if (asks.deliveryMode === 'push' && trial.error === 'unauthorized_client') return true;
  return codesAfterTheClient.has(trial.error ?? '');
}

function judgeTrial(client: ClientFacts): Observation[] {
  const { trial, credentials } = client;
  if (credentials.type === 'gone') return [observe('client_credentials_missing', 'Nothing was sent.')];
  switch (trial.kind) {
    case 'not-tried':
      return [
        trial.why === 'time'
          ? observe('client_not_tried', 'There was no time left.')
          : observe('client_not_tried', 'The metadata does not allow for it.'),
      ];
    case 'unready':
      return [observe('client_unready', `${trial.detail}.`)];
    case 'no-answer':
      return [
        credentials.type === 'mutual-tls' && isRefusedCertificate(trial.code)
          ? observe('client_certificate_refused', `The token endpoint ended the connection: ${trial.code}.`)
          : observe('client_not_tried', `The token endpoint gave no answer: ${trial.code}.`),
      ];
    case 'answered':
      return [judgeAnswer(trial, credentials.type, client)];
  }
}

/** A client that was just accepted is refused no more. */
function judgeRefusals(client: ClientFacts): Observation[] {
  const { refusals = [] } = client;
  if (isAccepted(client)) return [];
  return refusals.map(({ call, error, firstAt, lastAt, pausedUntil }) => {
    const [since, last, until] = [firstAt, lastAt, pausedUntil].map((time) => time.toISOString());
    const detail = `The ${call} call was answered ${words([error])} since ${since}, last at ${last}; paused until ${until}.`;
    return observe('client_calls_paused', detail);
  });
}

/** A TLS alert says so; many servers just hang up right after the handshake. */
function isRefusedCertificate(code: string): boolean {
  return /^ERR_SSL_.*ALERT/.test(code) || ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(code);
}

const refusals = {
  secret: 'client_secret_refused',
  'private-key-jwt': 'client_assertion_refused',
  'mutual-tls': 'client_certificate_not_recognised',
} as const;

function judgeAnswer(
  trial: Extract<TrialFact, { kind: 'answered' }>,
  credentials: keyof typeof refusals,
  client: ClientFacts,
): Observation {
  const { status, error, carriesTokens } = trial;
  const detail = `The token endpoint answered ${status}${error === null ? '' : ` ${error}`} to client "${client.clientId}".`;
  if (carriesTokens) return observe('made_up_request_approved', detail);
  if (isAccepted(client)) return observe('client_accepted', detail);
  if (error === 'unauthorized_client' || error === 'unsupported_grant_type') {
    return observe('client_lacks_grant', detail);
  }
  // 495 and 496 are how some gateways say that a certificate is missing or bad.
  if (status === 495 || status === 496) return observe('client_certificate_refused', detail);
  if (error === 'invalid_client' || status === 401) return observe(refusals[credentials], detail);
  if (status === 429 || status >= 500) return observe('client_not_tried', detail);
  return observe('client_answer_unclear', detail);
}

const certificateFindings = {
  expired: 'key_pair_expired',
  notYetValid: 'key_pair_not_yet_valid',
  expiring: 'key_pair_expires_soon',
  valid: null,
} as const satisfies Record<CertificateStatus, FindingCode | null>;

function judgeKeyPair({ credentials }: ClientFacts, now: Date): Observation[] {
  if (credentials.type !== 'mutual-tls' || credentials.certificate === null) return [];
  const { notBefore, notAfter } = credentials.certificate;
  const finding = certificateFindings[certificateStatus(credentials.certificate, now)];
  if (finding === null) return [];
  return [observe(finding, `Valid from ${notBefore.toISOString()} until ${notAfter.toISOString()}.`)];
}
