/**
 * Reading an export of PingAccess' administrative API. What it may hold is only partly documented, so nothing is expected:
 * a member of another kind than the one wanted is as if it were not there.
 */

export type Members = Readonly<Record<string, unknown>>;

export const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** A text, or a number as one (ids come as either); null otherwise and when it is empty. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

/** A whole number, also as a text; null otherwise. */
export function integerOf(value: unknown): number | null {
  const text = textOf(value);
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** The first member whose name fits and whose value is of the wanted kind. */
export function memberLike<Value>(
  members: Members,
  name: RegExp,
  read: (value: unknown) => Value | null,
): Value | null {
  for (const [key, value] of Object.entries(members)) {
    const found = name.test(key) ? read(value) : null;
    if (found !== null) return found;
  }
  return null;
}

/** A secret as PingAccess writes it (`HiddenField`): in plain text, obfuscated under a key of its host, or not at all. */
export type HiddenField = { readonly kind: 'plain'; readonly value: string } | { readonly kind: 'obfuscated' } | null;

export function hiddenField(value: unknown): HiddenField {
  if (typeof value === 'string')
    return value === '' ? null : /^OBF:/i.test(value) ? { kind: 'obfuscated' } : { kind: 'plain', value };
  const { value: plain, encryptedValue } = membersOf(value);
  if (typeof plain === 'string' && plain !== '') return hiddenField(plain);
  return textOf(encryptedValue) === null ? null : { kind: 'obfuscated' };
}

/** An OAuth client as PingAccess writes it (`OAuthClientCredentials`). */
export interface ExportedClient {
  readonly clientId: string;
  readonly type: 'secret' | 'mutual-tls' | 'private-key-jwt';
  readonly secret: HiddenField;
  /** Null: none, or none that can be read. */
  readonly keyPairId: string | null;
}

const credentialTypes: ReadonlyMap<string, ExportedClient['type']> = new Map([
  ['SECRET', 'secret'],
  ['CERTIFICATE', 'mutual-tls'],
  ['PRIVATE_KEY_JWT', 'private-key-jwt'],
]);

/** The client in a configuration: in one of its members, or spread over the configuration itself. Null: there is none. */
export function clientIn(configuration: Members): ExportedClient | null {
  for (const candidate of [...Object.values(configuration).map(membersOf), configuration]) {
    const clientId = textOf(candidate['clientId']);
    const proofs = ['clientSecret', 'keyPairId', 'credentialsType'].filter((member) => member in candidate);
    if (clientId === null || proofs.length === 0) continue;
    const secret = hiddenField(candidate['clientSecret']);
    const keyPairId = textOf(candidate['keyPairId']);
    const said = credentialTypes.get(textOf(candidate['credentialsType']) ?? '');
    return {
      clientId,
      type: said ?? (keyPairId !== null && keyPairId !== '0' ? 'mutual-tls' : 'secret'),
      secret,
      keyPairId,
    };
  }
  return null;
}
