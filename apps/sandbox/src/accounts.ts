/** A person with a phone in the sandbox. */
export interface Account {
  /** The `sub` claim, and the last part of the phone's address. */
  readonly id: string;
  readonly name: string;
  readonly loginHint: string;
  /** What the person may do in Assent's console. */
  readonly roles: readonly string[];
}

export const accounts: readonly Account[] = [
  { id: 'alice', name: 'Alice', loginHint: 'alice@example.com', roles: ['assent-admin'] },
  { id: 'bob', name: 'Bob', loginHint: 'bob@example.com', roles: ['assent-auditor'] },
];

export function findAccountById(id: string): Account | undefined {
  return accounts.find((account) => account.id === id);
}

/** Login hints are compared without regard to case, as mail addresses are. */
export function findAccountByLoginHint(loginHint: string): Account | undefined {
  return accounts.find((account) => account.loginHint === loginHint.toLowerCase());
}

/**
 * Who a `login_hint_token` names: by the subject identifier in it (RFC 9493), a mail address or a subject. The sandbox
 * believes tokens that nobody has signed: it guards nothing, and whoever tries has no key that it knows.
 */
export function findAccountBySubjectToken(token: string): Account | undefined {
  const [, payload = ''] = token.split('.');
  try {
    const { sub_id: identifier } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as {
      readonly sub_id?: { readonly format?: unknown; readonly email?: unknown; readonly sub?: unknown };
    };
    if (identifier?.format === 'email') return findAccountByLoginHint(String(identifier.email));
    return identifier?.format === 'iss_sub' ? findAccountById(String(identifier.sub)) : undefined;
  } catch {
    // No token, so nobody.
    return undefined;
  }
}
