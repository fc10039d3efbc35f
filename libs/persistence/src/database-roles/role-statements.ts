import { databaseServices, sequencePrivileges, tablePrivileges, type DatabaseService } from './privileges.js';

/** Who comes to the database: the services, and the one that owns the tables. */
export const databaseRoles = ['migrator', ...databaseServices] as const;
export type DatabaseRole = (typeof databaseRoles)[number];

/** Begins the name of every role; several installations in one cluster need prefixes of their own. */
export const defaultRolePrefix = 'assent_';

/**
 * The name of a role in the database: `assent_rules_service`.
 *
 * @throws Error when the prefix is no beginning of a name
 */
export function roleName(role: DatabaseRole, prefix: string = defaultRolePrefix): string {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(prefix)) {
    throw new Error('The prefix of the roles is lower-case letters, digits and _.');
  }
  return `${prefix}${role.replaceAll('-', '_')}`;
}

/** What gives each service its rights on the objects of schema public, and takes all others away. Run by their owner. */
export function grantStatements(prefix: string = defaultRolePrefix): string[] {
  return databaseServices.flatMap((service) => {
    const role = roleName(service, prefix);
    return [
      `revoke all on all tables in schema public from ${role}`,
      `revoke all on all sequences in schema public from ${role}`,
      `grant usage on schema public to ${role}`,
      ...grantsTo(service, role, 'table', tablePrivileges),
      ...grantsTo(service, role, 'sequence', sequencePrivileges),
    ];
  });
}

function grantsTo(
  service: DatabaseService,
  role: string,
  kind: 'table' | 'sequence',
  privileges: typeof tablePrivileges,
): string[] {
  return Object.entries(privileges).flatMap(([name, { [service]: rights }]) =>
    rights === undefined ? [] : [`grant ${rights} on ${kind} public.${name} to ${role}`],
  );
}

/**
 * What makes the roles, and gives the migrator all that is in schema public. Run by a superuser, or by whoever may make
 * roles and owns the database.
 */
export function roleStatements(database: string, prefix: string = defaultRolePrefix): string[] {
  const migrator = roleName('migrator', prefix);
  const names = databaseRoles.map((role) => roleName(role, prefix));
  return [
    ...names.map(createIfMissing),
    joinUnlessSuperuser(migrator),
    `grant connect on database ${database} to ${names.join(', ')}`,
    `revoke temporary on database ${database} from public`,
    'revoke create on schema public from public',
    `grant usage, create on schema public to ${migrator}`,
    handOver(migrator),
  ];
}

const createIfMissing = (name: string): string => /* sql */ `
  do $$ begin
    if exists (select from pg_roles where rolname = '${name}') then return; end if;
    create role ${name} login;
    alter role ${name} set search_path = public;
  exception when duplicate_object or unique_violation then null;
  end $$`;

/** Only a member of a role can hand something over to it, and grant what it owns. */
const joinUnlessSuperuser = (owner: string): string => /* sql */ `
  do $$ begin
    if current_user <> '${owner}' and not (select rolsuper from pg_roles where rolname = current_user) then
      execute format('grant ${owner} to %I', current_user);
    end if;
  end $$`;

/** Sequences of identity columns follow their tables. */
const handOver = (owner: string): string => /* sql */ `
  do $$ declare statement text; begin
    for statement in
      select format('alter table %s owner to ${owner}', c.oid::regclass) from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and c.relowner <> '${owner}'::regrole
      union all
      select format('alter routine %s owner to ${owner}', p.oid::regprocedure) from pg_proc p
      where p.pronamespace = 'public'::regnamespace and p.proowner <> '${owner}'::regrole
    loop execute statement; end loop;
  end $$`;
