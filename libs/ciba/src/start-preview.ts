/** A call as it goes out. */
export interface ComposedCall {
  readonly url: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** A start call that nobody makes, fit to be shown: what could be used by somebody else is marked. */
export interface ShownCall {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
  /** What the signed parts of the form say, by the name of the parameter. */
  readonly signed: Readonly<Record<string, { readonly header: unknown; readonly claims: unknown }>>;
}

/** What a start call would be; or why there would be none. */
export type StartPreview =
  | { readonly kind: 'composed'; readonly call: ShownCall }
  | { readonly kind: 'unavailable' | 'misconfigured'; readonly detail: string };

/** Stands for what is not shown. */
export const secretMark = '(secret)';
const signatureMark = '(signature)';

const secretMembers: ReadonlySet<string> = new Set(['client_secret']);
const signedMembers: ReadonlySet<string> = new Set(['client_assertion', 'request']);

/** Shows a call without its secrets. */
export function shownCall({ url, headers, body }: ComposedCall): ShownCall {
  const named: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) {
    const [name, value] = [headers[index]!, headers[index + 1]!];
    named[name] = name === 'authorization' ? `${value.split(' ', 1)[0]} ${secretMark}` : value;
  }
  const members = [...new URLSearchParams(body)];
  return {
    method: 'POST',
    url,
    headers: named,
    form: Object.fromEntries(members.map(([name, value]) => [name, shownMember(name, value)])),
    signed: Object.fromEntries(
      members.filter(([name]) => signedMembers.has(name)).map(([name, value]) => [name, saidBy(value)]),
    ),
  };
}

function shownMember(name: string, value: string): string {
  if (secretMembers.has(name)) return secretMark;
  // Without its signature nobody believes it.
  return signedMembers.has(name) ? [...value.split('.').slice(0, 2), signatureMark].join('.') : value;
}

function saidBy(jwt: string): { header: unknown; claims: unknown } {
  const [header, claims] = jwt.split('.').map((part) => Buffer.from(part, 'base64url').toString('utf8'));
  return { header: JSON.parse(header!) as unknown, claims: JSON.parse(claims!) as unknown };
}
