import { requestIdOf, succeeded } from '../calls.js';
import { groupBy } from '../history.js';
import { Findings, type Invariant } from '../judgement.js';

/**
 * I22. An Idempotency-Key belongs to its API client: the same key with the same body is one request and one id, with
 * another body it is refused, and there is no row that nobody submitted.
 */
export const keysBelongToClients: Invariant = {
  id: 'I22',
  claim: 'one key, one body, one request, per API client',
  judge: (history) => {
    const findings = new Findings();
    const submits = history.calls.filter(({ sent }) => sent.op === 'submit' || sent.op === 'replay');
    const keyed = submits.filter(({ sent }) => sent.idempotencyKey);
    const rowsByKey = groupBy(
      [...history.requests.values()].filter(({ idempotencyKey }) => idempotencyKey !== null),
      (row) => `${row.apiClientId} ${row.idempotencyKey}`,
    );
    for (const [key, calls] of groupBy(
      keyed,
      ({ sent }) => `${history.clientId(sent.client)} ${sent.idempotencyKey}`,
    )) {
      const rows = rowsByKey.get(key) ?? [];
      findings.expect(rows.length <= 1, key, `${rows.length} requests under one key`);
      const won = calls.filter(succeeded);
      const ids = new Set(won.map(requestIdOf));
      findings.expect(ids.size <= 1, key, `one key was answered with ${ids.size} ids`);
      const bodies = new Set(won.map(({ sent }) => sent.bodyHash));
      findings.expect(bodies.size <= 1, key, 'another body was accepted under a used key');
      const refused = calls.filter(({ answered }) => answered?.problemCode === 'idempotency_key_reused');
      for (const { sent, answered } of refused) {
        findings.expect(answered!.status === 422, key, `a reused key was answered ${answered!.status}`);
        const alone = calls.every((call) => call.sent.bodyHash === sent.bodyHash);
        findings.expect(!alone, key, 'a key was refused as reused, and all its bodies were equal');
      }
    }
    const submitted = new Set(keyed.map(({ sent }) => `${history.clientId(sent.client)} ${sent.idempotencyKey}`));
    for (const [key, rows] of rowsByKey) {
      findings.expect(submitted.has(key), rows[0]!.id, 'a request that nobody submitted');
    }
    for (const [client, rows] of groupBy(
      [...history.requests.values()].filter(({ idempotencyKey }) => idempotencyKey === null),
      ({ apiClientId }) => apiClientId,
    )) {
      const sent = submits.filter((call) => !call.sent.idempotencyKey && history.clientId(call.sent.client) === client);
      findings.expect(
        rows.length <= sent.length,
        client,
        `${rows.length} requests without a key, submitted were ${sent.length}`,
      );
    }
    return findings;
  },
};
