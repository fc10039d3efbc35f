import type { History } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';
import { judgeReceipts } from '../receipts.js';
import { Signatures, timestampMs } from '../signatures.js';

const toleranceMs = 300_000;

/**
 * I18. Every delivery verifies, by a library that is not ours, under a key of the endpoint that it went to and under no
 * other's, is signed within five minutes of its arrival, and does not verify when it was changed; and so do receipts.
 */
export const deliveriesVerify: Invariant = {
  id: 'I18',
  claim: 'every delivery and receipt verifies under its own key, and under no other',
  judge: async (history) => {
    const findings = new Findings();
    const signatures = new Signatures(history.run);
    const endpoints = history.run.webhookEndpoints;
    for (const line of history.webhooks) {
      const about = line.headers['webhook-id'] ?? 'a delivery without an id';
      findings.expect(
        Math.abs(timestampMs(line.headers) - line.atMs) <= toleranceMs,
        about,
        'signed more than five minutes before or after its arrival',
      );
      if (line.endpointId === null) {
        findings.expect(signatures.fitsPublishedKey(line), about, 'a callback that no published key has signed');
        const secret = callbackSecretOf(history, about);
        findings.expect(
          secret == null || signatures.fitsSecret(line, secret),
          about,
          'a callback that its client’s secret does not fit',
        );
      } else {
        const own = endpoints.find(({ id }) => id === line.endpointId)?.secrets ?? [];
        findings.expect(
          own.some((secret) => signatures.fitsSecret(line, secret)),
          about,
          'no secret of its endpoint fits',
        );
        const foreign = endpoints.filter(({ id }) => id !== line.endpointId).flatMap(({ secrets }) => secrets);
        findings.expect(
          !foreign.some((secret) => !own.includes(secret) && signatures.fitsSecret(line, secret)),
          about,
          'signed with the secret of another endpoint',
        );
      }
      const altered = { headers: line.headers, body: `${line.body} ` };
      const fits = signatures.fitsPublishedKey(altered) || ownFits(line.endpointId);
      findings.expect(!fits, about, 'verifies although its body was changed');
      function ownFits(endpointId: string | null): boolean {
        const secrets = endpoints.find(({ id }) => id === endpointId)?.secrets ?? [];
        return secrets.some((secret) => signatures.fitsSecret(altered, secret));
      }
    }
    await judgeReceipts(history, findings);
    return findings;
  },
};

function callbackSecretOf(history: History, decisionId: string): string | null | undefined {
  const request = history.requests.get(history.decisionById.get(decisionId)?.requestId ?? '');
  return history.run.apiClients.find(({ id }) => id === request?.apiClientId)?.callbackSecret;
}
