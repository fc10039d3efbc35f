import type { KeyPair } from '#lib/contracts';
import type { KeyPairRow } from '#lib/persistence';
import { adminMembers } from '../admin/admin-members.js';

/** From this long before its end a certificate counts as expiring. */
const expiringMs = 30 * 86_400_000;

/** A key pair as the API shows it, but for who uses it. */
export const keyPairDocument = (row: KeyPairRow, now: Date): Omit<KeyPair, 'usedBy'> => ({
  ...adminMembers(row),
  alias: row.alias,
  ...row.facts,
  subjectAlternativeNames: [...row.facts.subjectAlternativeNames],
  warnings: [...row.facts.warnings],
  status: statusOf(row.facts, now),
  certificateChain: [...row.certificateChainPem],
});

function statusOf(facts: KeyPairRow['facts'], now: Date): KeyPair['status'] {
  const leftMs = new Date(facts.notAfter).getTime() - now.getTime();
  if (leftMs <= 0) return 'expired';
  if (new Date(facts.notBefore) > now) return 'notYetValid';
  return leftMs <= expiringMs ? 'expiring' : 'valid';
}
