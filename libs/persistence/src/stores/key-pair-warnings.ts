import { daysLeft, dueExpiryWarning, expiryWarningDays, type ExpiryWarningDays } from '#lib/domain';
import type { PoolClient } from 'pg';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { publishNotice } from './notice.store.js';

/**
 * Tells (`key_pair.expiring`) of certificates that end soon: each warning of each certificate once, however many look,
 * however often, and whatever their clocks do. A certificate that takes the place of another has warnings of its own.
 *
 * @returns how many were due; as many as `portion` when there may be more.
 */
export async function warnOfExpiringKeyPairs(context: StoreContext, now: Date, portion: number): Promise<number> {
  const rows = await context.sql.rows<Candidate>(selectDue, [now, [...expiryWarningDays], portion]);
  for (const row of rows) await warn(context, row, now);
  return rows.length;
}

interface Candidate {
  readonly id: string;
  readonly alias: string;
  readonly not_after: Date;
  readonly sha256_fingerprint: string;
}

async function warn(context: StoreContext, row: Candidate, now: Date): Promise<void> {
  const days = dueExpiryWarning(row.not_after, now);
  if (days === null) return;
  const left = Math.max(0, daysLeft(row.not_after, now));
  const { id, alias } = row;
  const told = await context.sql.transaction(async (client) => {
    if (!(await mark(client, row, days))) return false;
    const notAfter = row.not_after.toISOString();
    await publishNotice(client, { type: 'key_pair.expiring', data: { id, alias, notAfter, daysLeft: left } });
    return true;
  });
  if (told) context.log('warn', 'The certificate of a key pair ends soon.', { keyPair: alias, daysLeft: left });
}

/** Whether this warning is ours to tell: nobody has told it, nor a later one, of this certificate. */
async function mark(
  client: PoolClient,
  { id, sha256_fingerprint }: Candidate,
  days: ExpiryWarningDays,
): Promise<boolean> {
  // Whoever looks at the same time waits here, and sees afterwards what was told.
  const held = await client.query(holdKeyPair, [id, sha256_fingerprint]);
  if (held.rowCount === 0) return false;
  return (await client.query(insertWarning, [id, sha256_fingerprint, days])).rowCount === 1;
}

// Those whose next warning is due; `dueExpiryWarning` says which one it is.
const selectDue = statement(
  'select_key_pairs_to_warn_of',
  /* sql */ `
  select k.id, k.alias, c.not_after, c.sha256_fingerprint
  from key_pairs k
  cross join lateral (
    select (k.facts->>'notAfter')::timestamptz as not_after, k.facts->>'sha256Fingerprint' as sha256_fingerprint
  ) c
  where exists (
    select from unnest($2::integer[]) as due (days)
    where c.not_after <= $1::timestamptz + due.days * interval '1 day' and not exists (
      select from key_pair_warnings w
      where w.key_pair_id = k.id and w.sha256_fingerprint = c.sha256_fingerprint and w.days <= due.days))
  order by k.id limit $3::integer`,
);

const holdKeyPair = /* sql */ `
  select id from key_pairs where id = $1::uuid and facts->>'sha256Fingerprint' = $2::text for no key update`;

const insertWarning = /* sql */ `
  insert into key_pair_warnings (key_pair_id, sha256_fingerprint, days)
  select $1::uuid, $2::text, $3::integer
  where not exists (
    select from key_pair_warnings w
    where w.key_pair_id = $1::uuid and w.sha256_fingerprint = $2::text and w.days <= $3::integer)
  on conflict do nothing`;
