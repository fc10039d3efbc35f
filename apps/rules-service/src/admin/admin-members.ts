import type { AdminRow } from '#lib/persistence';

/** What every administered object shows beside its own members. */
export const adminMembers = ({ id, version, createdAt, updatedAt }: AdminRow) => ({
  id,
  version,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});
