/** Members of a form; those that are null are left out. */
export type FormMembers = Readonly<Record<string, string | null>>;

/** Encodes members as `application/x-www-form-urlencoded` (RFC 6749 appendix B). */
export function encodeForm(members: FormMembers): string {
  const present = Object.entries(members).filter((member): member is [string, string] => member[1] !== null);
  return new URLSearchParams(present).toString();
}

/** Encodes one value as in a form, which is also what client_secret_basic asks for (RFC 6749 §2.3.1). */
export function encodeFormValue(value: string): string {
  return encodeForm({ v: value }).slice('v='.length);
}
