/** Members of a form; those that are null are left out. */
export type FormMembers = Readonly<Record<string, string | null>>;

/** What a form leaves as it is (WHATWG URL §5.2), which most identifiers are made of. */
const plain = /^[A-Za-z0-9*._-]*$/;

/** Encodes members as `application/x-www-form-urlencoded` (RFC 6749 appendix B). */
export function encodeForm(members: FormMembers): string {
  let form = '';
  for (const [name, value] of Object.entries(members)) {
    if (value === null) continue;
    form += `${form === '' ? '' : '&'}${encodeFormValue(name)}=${encodeFormValue(value)}`;
  }
  return form;
}

/** Encodes one value as in a form, which is also what client_secret_basic asks for (RFC 6749 §2.3.1). */
export function encodeFormValue(value: string): string {
  return plain.test(value) ? value : new URLSearchParams([['', value]]).toString().slice(1);
}
