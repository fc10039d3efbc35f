import { randomBytes } from 'node:crypto';
import { createDatabaseRoles, databaseRoles, roleName, type DatabaseRole } from '#lib/persistence';
import { asAdmin } from './postgres.js';

/** Addresses of one database as the users that its services have in production. */
export interface LimitedDatabaseUrls {
  readonly urls: Readonly<Record<DatabaseRole, string>>;
  /** Removes the roles; after the database. */
  drop(): Promise<void>;
}

/** Makes the roles for a database, with names that no other test has: roles belong to the whole server. */
export async function limitedDatabaseUrls(databaseUrl: string): Promise<LimitedDatabaseUrls> {
  const prefix = `test_${randomBytes(6).toString('hex')}_`;
  const passwords = Object.fromEntries(
    databaseRoles.map((role) => [role, randomBytes(18).toString('base64url')]),
  ) as Record<DatabaseRole, string>;
  await createDatabaseRoles(databaseUrl, { prefix, passwords });
  const address = (role: DatabaseRole): string => {
    const url = new URL(databaseUrl);
    url.username = roleName(role, prefix);
    url.password = passwords[role];
    return url.href;
  };
  const names = databaseRoles.map((role) => roleName(role, prefix));
  return {
    urls: Object.fromEntries(databaseRoles.map((role) => [role, address(role)])) as Record<DatabaseRole, string>,
    drop: () => asAdmin(databaseUrl, (admin) => admin.query(`drop role ${names.join(', ')}`)),
  };
}
