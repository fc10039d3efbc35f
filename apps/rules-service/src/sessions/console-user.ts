import type { LoginClaims } from '#lib/ciba';
import { scopesOfRole, type ConsoleRole, type Scope } from '#lib/contracts';

/** Which values of which claim make somebody what. */
export interface RoleSettings {
  /** A name, or names with dots between them for a claim inside a claim. */
  readonly claim: string;
  readonly adminRoles: readonly string[];
  readonly auditorRoles: readonly string[];
}

/** The role that a person's claims give; null when none of them is one of ours. */
export function roleOfClaims(
  claims: LoginClaims,
  { claim, adminRoles, auditorRoles }: RoleSettings,
): ConsoleRole | null {
  const roles = textsOf(claimOf(claims, claim));
  if (roles.some((role) => adminRoles.includes(role))) return 'admin';
  return roles.some((role) => auditorRoles.includes(role)) ? 'auditor' : null;
}

/** Whether there is such a claim at all. */
export const hasClaim = (claims: LoginClaims, name: string): boolean => claimOf(claims, name) !== undefined;

/** The role of an API key: whoever may change administration is an administrator; null: not even look at it. */
export function roleOfScopes(scopes: ReadonlySet<Scope>): ConsoleRole | null {
  if (scopesOfRole.admin.every((scope) => scope.startsWith('requests:') || scopes.has(scope))) return 'admin';
  return scopes.has('admin:read') ? 'auditor' : null;
}

/** What the person is called in the console and in the audit log. */
export function nameOfClaims(claims: LoginClaims): string {
  const names = ['preferred_username', 'email', 'name', 'sub'].map((name) => claims[name]);
  const text = names.find((name): name is string => typeof name === 'string' && name.trim() !== '') ?? claims.sub;
  // Shown in lists and kept for long.
  return text
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ')
    .trim()
    .slice(0, 128);
}

// A name with a dot in it may also be just that: some providers use addresses as names.
function claimOf(claims: LoginClaims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    return (value as Record<string, unknown>)[part];
  }, claims);
}

const textsOf = (value: unknown): readonly string[] => {
  const values: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(/[ ,]/)
      : [];
  return values.filter((one): one is string => typeof one === 'string' && one !== '');
};
