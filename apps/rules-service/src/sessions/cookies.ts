/**
 * The cookies of the console (RFC 6265bis). `__Host-`: a browser takes them over https only (and from this machine),
 * sends them to this host only, and no other host can set them.
 */
export const sessionCookie = '__Host-assent-console';
export const loginCookie = '__Host-assent-login';

// Lax, not strict: a link from elsewhere opens the console logged in; what changes something needs more than the cookie.
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** A `Set-Cookie` for as long as the browser runs; the session ends earlier. */
export const setCookie = (name: string, value: string): string => `${name}=${value}; ${attributes}`;

/** A `Set-Cookie` for so long. */
export const setCookieFor = (name: string, value: string, seconds: number): string =>
  `${name}=${value}; Max-Age=${seconds}; ${attributes}`;

/** A `Set-Cookie` that takes a cookie away. */
export const dropCookie = (name: string): string => `${name}=; Max-Age=0; ${attributes}`;

/** The value of a cookie; null without it, and when it comes twice, for then nobody knows which one is ours. */
export function readCookie(header: string | undefined, name: string): string | null {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return values.length === 1 ? values[0]!.slice(name.length + 1) : null;
}
