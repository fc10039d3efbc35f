/** A person with a phone in the sandbox. */
export interface Account {
  /** The `sub` claim, and the last part of the phone's address. */
  readonly id: string;
  readonly name: string;
  readonly loginHint: string;
}

export const accounts: readonly Account[] = [
  { id: 'alice', name: 'Alice', loginHint: 'alice@example.com' },
  { id: 'bob', name: 'Bob', loginHint: 'bob@example.com' },
];

export function findAccountById(id: string): Account | undefined {
  return accounts.find((account) => account.id === id);
}

/** Login hints are compared without regard to case, as mail addresses are. */
export function findAccountByLoginHint(loginHint: string): Account | undefined {
  return accounts.find((account) => account.loginHint === loginHint.toLowerCase());
}
