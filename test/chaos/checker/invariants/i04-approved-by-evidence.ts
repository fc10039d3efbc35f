import type { RequestRow } from '../database-rows.js';
import type { Grant, History } from '../history.js';
import { clockToleranceMs, Findings, type Invariant } from '../judgement.js';

/**
 * I4. Approved means that the provider's ledger shows: this person said yes to this `auth_req_id`, which was started for
 * this request's hint and text, and the very ID token that the row names was handed out for it, before the deadline.
 */
export const approvedByEvidence: Invariant = {
  id: 'I4',
  claim: 'no approval without the provider’s evidence for that very request',
  elsewhere: 'each check of a token by itself: libs/ciba, test/hostile.e2e-spec.ts',
  judge: (history) => {
    const findings = new Findings();
    for (const row of history.requests.values()) {
      if (row.status !== 'approved') continue;
      findings.expect(
        row.evidence !== null && row.grantedScope !== null,
        row.id,
        'approved without evidence in the row',
      );
      const grant = history.grantOf(row);
      findings.expect(grant !== undefined, row.id, 'approved, and the provider never heard of its auth_req_id');
      if (grant !== undefined) heldAgainst(history, row, grant, findings);
    }
    return findings;
  },
};

function heldAgainst(history: History, row: RequestRow, grant: Grant, findings: Findings): void {
  const endedAtMs = row.endedAtMs ?? Infinity;
  const saidYes = grant.persons.some(
    ({ person, atMs }) => person === 'approve' && atMs <= endedAtMs + clockToleranceMs,
  );
  findings.expect(saidYes, row.id, 'approved, and the person had not said yes');

  const handedOut = [...grant.tokens, ...grant.pushes].filter(({ said }) => said === 'tokens');
  const mine = handedOut.find(({ idTokenSha256 }) => sameHash(idTokenSha256, row.idTokenSha256));
  findings.expect(mine !== undefined, row.id, 'approved by an ID token that the provider did not hand out for it');
  findings.expect(mine?.delivered !== false, row.id, 'approved by tokens that never left the provider');
  findings.expect(
    mine === undefined || (mine.atMs <= endedAtMs + clockToleranceMs && mine.atMs < (row.expiresAtMs ?? 0)),
    row.id,
    'approved by tokens that were handed out after the end or the deadline',
  );

  const { evidence } = row;
  findings.expect(evidence?.issuer === history.run.settings.issuer, row.id, 'the evidence names another issuer');
  findings.expect(sameHash(evidence?.idTokenSha256, row.idTokenSha256), row.id, 'the evidence names another ID token');
  findings.expect(mine?.sub == null || evidence?.subject === mine.sub, row.id, 'the evidence names another person');

  if (grant.start === null) return;
  findings.expect(
    grant.start.bindingMessage === row.bindingMessage,
    row.id,
    'approved by a prompt that showed another binding message',
  );
  const hint = history.submissions.hintOf(row);
  findings.expect(
    hint === undefined || grant.start.loginHint === hint,
    row.id,
    'approved by another person than the one that the client named',
  );
}

/** Base64url or hex, padded or not: the same bytes. */
export function sameHash(one: unknown, other: unknown): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return false;
  return bytesOf(one) === bytesOf(other);
}

const bytesOf = (hash: string): string =>
  /^[0-9a-f]{64}$/i.test(hash) ? hash.toLowerCase() : Buffer.from(hash, 'base64url').toString('hex');
