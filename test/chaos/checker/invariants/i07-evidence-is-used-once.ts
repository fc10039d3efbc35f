import { Findings, type Invariant } from '../judgement.js';
import { groupBy } from '../history.js';

/** I7. One `auth_req_id`, and one ID token, never serve two requests. */
export const evidenceIsUsedOnce: Invariant = {
  id: 'I7',
  claim: 'one approval never serves two requests',
  judge: (history) => {
    const findings = new Findings();
    const rows = [...history.requests.values()];
    const once = (what: string, keyOf: (row: (typeof rows)[number]) => string | null) => {
      for (const [, group] of groupBy(
        rows.filter((row) => keyOf(row) !== null),
        (row) => keyOf(row)!,
      )) {
        findings.expect(
          group.length === 1,
          group[0]!.id,
          `${what} serves ${group.length} requests: ${group.map(({ id }) => id).join()}`,
        );
      }
    };
    once('an auth_req_id', (row) => row.authReqIdSha256);
    once('an ID token', (row) => row.idTokenSha256);
    once('the evidence of an approval', (row) => (row.status === 'approved' ? hashIn(row.evidence) : null));
    for (const [hash, group] of groupBy(
      history.decisions.filter(({ document }) => document.evidence?.idTokenSha256 !== undefined),
      ({ document }) => String(document.evidence!.idTokenSha256),
    )) {
      findings.expect(
        group.length === 1,
        group[0]!.requestId,
        `${group.length} decisions rest on the ID token ${hash}`,
      );
    }
    return findings;
  },
};

const hashIn = (evidence: { readonly idTokenSha256?: unknown } | null): string | null =>
  typeof evidence?.idTokenSha256 === 'string' ? evidence.idTokenSha256 : null;
