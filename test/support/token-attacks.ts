import { createHmac, createPublicKey } from 'node:crypto';
import { exportSPKI, generateKeyPair, importJWK, type CryptoKey } from 'jose';
import type { TokenIssuer } from './token-issuer.js';

/** One way to come with an access token that nobody may be let in by. */
export interface TokenAttack {
  readonly name: string;
  readonly token: (issuer: TokenIssuer) => Promise<string> | string;
}

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const attack = (name: string, token: TokenAttack['token']): TokenAttack => ({ name, token });
const claims = (name: string, over: () => Readonly<Record<string, unknown>>) =>
  attack(name, (issuer) => issuer.token({ claims: over() }));
const header = (name: string, over: Readonly<Record<string, unknown>>) =>
  attack(name, (issuer) => issuer.token({ header: over }));

/** With a header that no library would sign: the signature is the one of a good token. */
const relabelled = (name: string, over: Readonly<Record<string, unknown>>) =>
  attack(name, async (issuer) => {
    const [, payload, signature] = (await issuer.token()).split('.');
    return [encode({ alg: 'ES256', typ: 'at+jwt', kid: 'first', ...over }), payload, signature].join('.');
  });
const stranger = async (): Promise<CryptoKey> => (await generateKeyPair('ES256', { extractable: true })).privateKey;

/** The public key, as text, taken for the secret of an HMAC. */
const confused = (name: string, alg: string, hash: string, secretOf: (issuer: TokenIssuer) => Promise<string>) =>
  attack(name, async (issuer) => {
    const signed = `${encode({ alg, typ: 'at+jwt', kid: 'first' })}.${encode(issuer.claims())}`;
    return `${signed}.${createHmac(hash, await secretOf(issuer))
      .update(signed)
      .digest('base64url')}`;
  });
const pemOf = async ({ published }: TokenIssuer) =>
  exportSPKI((await importJWK(published[0]!, 'ES256', { extractable: true })) as CryptoKey);

const unsigned = (alg: string) =>
  attack(`alg ${alg} and no signature`, (issuer) => `${encode({ alg, typ: 'at+jwt' })}.${encode(issuer.claims())}.`);

/** What is known of attacks on bearer JWTs (RFC 8725, RFC 9068 §5), each as a token. */
export const tokenAttacks: readonly TokenAttack[] = [
  ...['none', 'None', 'NONE', 'nOnE', ''].map(unsigned),
  attack('alg none under a real signature', async (issuer) => {
    const [, payload, signature] = (await issuer.token()).split('.');
    return [encode({ alg: 'none', typ: 'at+jwt' }), payload, signature].join('.');
  }),
  confused('HMAC with the public key in PEM', 'HS256', 'sha256', pemOf),
  confused('HMAC with the public key as JWK', 'HS256', 'sha256', async ({ published }) => JSON.stringify(published[0])),
  confused('HMAC with the public key in DER', 'HS512', 'sha512', async ({ published }) =>
    createPublicKey({ key: published[0] as never, format: 'jwk' })
      .export({ type: 'spki', format: 'der' })
      .toString('latin1'),
  ),
  confused('HMAC with an empty secret', 'HS256', 'sha256', async () => ''),
  confused('ES256 that is an HMAC', 'ES256', 'sha256', pemOf),
  relabelled('alg ES384 over an ES256 signature', { alg: 'ES384' }),
  relabelled('alg RS256 over an ES256 signature', { alg: 'RS256' }),
  relabelled('alg RS1', { alg: 'RS1' }),
  relabelled('alg that is a list', { alg: ['ES256'] }),
  relabelled('a header that was changed', { extra: true }),
  relabelled('a kid that climbs folders', { kid: '../../../../dev/null' }),
  relabelled('a kid that is SQL', { kid: "first' or '1'='1" }),
  relabelled('a kid that is an address', { kid: 'https://attacker.example/keys' }),
  relabelled('a kid that is a number', { kid: 1 }),
  relabelled('a kid that is an object', { kid: { toString: 'first' } }),
  relabelled('a kid of 4,000 characters', { kid: 'k'.repeat(4_000) }),
  relabelled('no typ', { typ: undefined }),
  header('typ JWT, as ID tokens have it', { typ: 'JWT' }),
  header('typ of a logout token', { typ: 'logout+jwt' }),
  header('typ of a receipt of ours', { typ: 'assent-receipt+jwt' }),
  header('typ of a proof of possession', { typ: 'dpop+jwt' }),
  header('typ with more after it', { typ: 'at+jwt; charset=utf-8' }),
  header('jku to keys of its own', { jku: 'https://attacker.example/keys' }),
  header('x5u to a certificate of its own', { x5u: 'https://attacker.example/certificate' }),
  header('x5c with a certificate of its own', { x5c: ['MIIB'] }),
  header('zip', { zip: 'DEF' }),
  relabelled('crit with something unknown', { crit: ['exp'], exp: 1 }),
  relabelled('b64 false', { crit: ['b64'], b64: false }),
  attack('jwk with a key of its own', async (issuer) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = createPublicKey(await exportSPKI(publicKey)).export({ format: 'jwk' });
    return issuer.token({ header: { jwk } }, privateKey);
  }),
  attack('a stranger’s key under a known kid', async (issuer) => issuer.token({}, await stranger())),
  attack('a stranger’s key under an unknown kid', async (issuer) =>
    issuer.token({ header: { kid: 'unknown' } }, await stranger()),
  ),
  attack('a stranger’s key without a kid', async (issuer) =>
    issuer.token({ header: { kid: undefined } }, await stranger()),
  ),
  attack('claims that were changed', async (issuer) => {
    const [head, , signature] = (await issuer.token()).split('.');
    return [head, encode(issuer.claims({ scope: 'admin:write' })), signature].join('.');
  }),
  attack('a signature in DER', async (issuer) => {
    const [head, payload, signature] = (await issuer.token()).split('.');
    const raw = Buffer.from(signature!, 'base64url');
    const der = Buffer.concat([
      Buffer.from([0x30, 68, 2, 32]),
      raw.subarray(0, 32),
      Buffer.from([2, 32]),
      raw.subarray(32),
    ]);
    return [head, payload, der.toString('base64url')].join('.');
  }),
  attack('a signature of zeros', async (issuer) => {
    const [head, payload] = (await issuer.token()).split('.');
    return [head, payload, Buffer.alloc(64).toString('base64url')].join('.');
  }),
  attack('a signature cut short', async (issuer) => (await issuer.token()).slice(0, -8)),
  attack('four parts', async (issuer) => `${await issuer.token()}.e30`),
  attack('five parts, as if encrypted', async (issuer) => `${await issuer.token()}.e30.e30`),
  attack('two parts', async (issuer) => (await issuer.token()).split('.').slice(0, 2).join('.')),
  attack('JSON serialization', async (issuer) => {
    const [head, payload, signature] = (await issuer.token()).split('.');
    return JSON.stringify({ payload, signatures: [{ protected: head, signature }] });
  }),
  attack('base64 with padding', async (issuer) => (await issuer.token()).replace('.', '=.')),
  attack('a member twice', async (issuer) => {
    const text = JSON.stringify(issuer.claims()).replace('{', '{"aud":"https://other.example",');
    const [head, , signature] = (await issuer.token()).split('.');
    return [head, Buffer.from(text).toString('base64url'), signature].join('.');
  }),
  attack('nesting without end', async (issuer) => {
    const [head, , signature] = (await issuer.token()).split('.');
    return [head, Buffer.from(`{"a":${'['.repeat(900)}${']'.repeat(900)}}`).toString('base64url'), signature].join('.');
  }),
  claims('an end that has come', () => ({ exp: now() - 60 })),
  claims('an end in an hour and a minute', () => ({ exp: now() + 3_661 })),
  claims('an end in 30 years', () => ({ exp: now() + 946_080_000 })),
  claims('no end', () => ({ exp: undefined })),
  claims('an end that is text', () => ({ exp: String(now() + 300) })),
  claims('an end that is null', () => ({ exp: null })),
  claims('a beginning that is to come', () => ({ nbf: now() + 120 })),
  claims('a beginning that is text', () => ({ nbf: 'now' })),
  claims('an issue in the future', () => ({ iat: now() + 120 })),
  claims('no issue', () => ({ iat: undefined })),
  claims('another audience', () => ({ aud: 'https://other.example' })),
  claims('an audience that begins like ours', () => ({ aud: 'https://assent.example.attacker.example' })),
  claims('our audience with a slash', () => ({ aud: 'https://assent.example/' })),
  claims('no audience', () => ({ aud: undefined })),
  claims('an empty list of audiences', () => ({ aud: [] })),
  claims('an audience that is an object', () => ({ aud: { 0: 'https://assent.example' } })),
  claims('a list of audiences with something else', () => ({ aud: ['https://assent.example', { x: 1 }] })),
  claims('another issuer', () => ({ iss: 'https://attacker.example' })),
  attack('our issuer with a slash', (issuer) => issuer.token({ claims: { iss: `${issuer.url}/` } })),
  attack('our issuer in capitals', (issuer) => issuer.token({ claims: { iss: issuer.url.toUpperCase() } })),
  attack('a list of issuers', (issuer) => issuer.token({ claims: { iss: [issuer.url] } })),
  claims('no issuer', () => ({ iss: undefined })),
  claims('a client of nobody', () => ({ client_id: 'nobody' })),
  claims('a client in other letters', () => ({ client_id: 'WAREHOUSE' })),
  claims('a client that is a list', () => ({ client_id: ['warehouse'] })),
  claims('an empty client beside a good subject', () => ({ client_id: '' })),
  claims('neither client nor subject', () => ({ client_id: undefined, sub: undefined })),
  claims('a client with SQL', () => ({ client_id: "warehouse' or true --" })),
  claims('scopes that are a list', () => ({ scope: ['requests:read'] })),
  claims('bound to a certificate that nobody showed', () => ({ cnf: { 'x5t#S256': 'x' } })),
  claims('bound to a key that nobody proved', () => ({ cnf: { jkt: 'x' } })),
];
