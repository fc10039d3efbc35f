import type { KeyPair } from '#lib/contracts';
import { certificateStatus, daysLeft } from '#lib/domain';
import type { KeyPairRow } from '#lib/persistence';
import { adminMembers } from '../admin/admin-members.js';

/** A key pair as the API shows it, but for who uses it. */
export const keyPairDocument = (row: KeyPairRow, now: Date): Omit<KeyPair, 'usedBy'> => ({
  ...adminMembers(row),
  alias: row.alias,
  ...row.facts,
  subjectAlternativeNames: [...row.facts.subjectAlternativeNames],
  warnings: [...row.facts.warnings],
  status: certificateStatus(validity(row), now),
  daysLeft: daysLeft(validity(row).notAfter, now),
  certificateChain: [...row.certificateChainPem],
});

const validity = ({ facts }: KeyPairRow) => ({
  notBefore: new Date(facts.notBefore),
  notAfter: new Date(facts.notAfter),
});
