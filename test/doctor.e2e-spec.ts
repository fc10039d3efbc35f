import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import type { KeyPair, ProviderCheck, Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';
import { ruleBody } from './support/rules-house.js';

/** The built CLI, a built Assent, and a token provider that we did not write. */

interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface JsonReport {
  readonly ok: boolean;
  readonly providers: (ProviderCheck & { readonly id: string; readonly name: string; readonly issuer: string })[];
}

let composition: Composition;
let sandbox: Sandbox;
let admin: AssentClient;
let provider: TokenProvider;

beforeAll(async () => {
  cloneWithinThisRealm();
  composition = await prepareComposition('standalone');
  sandbox = await startSandbox({
    port: await freeConsecutivePorts(2),
    assentUrl: composition.url,
    assentApiKey: null,
    intervalSeconds: 1,
  });
  await composition.start();
  admin = new AssentClient(composition.url, composition.apiKey);
}, 90_000);

afterAll(async () => {
  await composition.stop();
  await sandbox.stop();
});

function assent(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Printed> {
  const main = join(process.cwd(), 'dist/apps/cli/main.js');
  const surroundings = { PATH: process.env['PATH'], ASSENT_URL: composition.url, ASSENT_API_KEY: composition.apiKey };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { ...surroundings, ...env } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

async function keyPair(certificate: string, privateKey: string): Promise<string> {
  const { id } = await admin.create<KeyPair>('key-pairs', { alias: randomUUID(), pem: { certificate, privateKey } });
  return id;
}

function aRule(name: string, clientId: string, clientCredentials: object, over: object = {}): Promise<Rule> {
  return admin.create<Rule>('rules', ruleBody(provider.id, { name, clientId, clientCredentials, ...over }));
}

const codesOfRules = ({ findings }: ProviderCheck) => {
  const ofRules = findings.filter(({ rule }) => rule !== undefined);
  const entries = ofRules.map(({ rule, code }) => [rule!.name, code] as const);
  const names = [...new Set(entries.map(([name]) => name))];
  return Object.fromEntries(names.map((name) => [name, entries.filter(([n]) => n === name).map(([, code]) => code)]));
};

describe('assent doctor', () => {
  it('says what to do while there is no token provider', async () => {
    const { code, out, err } = await assent(['doctor']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('There is no token provider yet');
    expect(out).toContain('/v1/token-providers');
    expect(JSON.parse((await assent(['doctor', '--json'])).out)).toEqual({ ok: true, providers: [] });
  });

  it('finds a real provider well, with a client of every kind, and prompts nobody', async () => {
    provider = await admin.create<TokenProvider>('token-providers', {
      name: 'Sandbox bank',
      issuer: sandbox.issuer,
      profile: 'oidc-provider',
      trustedCertificates: [sandbox.mtls.caCertificatePem],
    });
    const { secretBasic, secretPost, tlsClientAuth, selfSignedTls, privateKeyJwt } = sandbox.clients;
    const { mtls } = sandbox;
    const issued = await keyPair(mtls.clientCertificatePem, mtls.clientPrivateKeyPem);
    const selfSigned = await keyPair(mtls.selfSignedCertificatePem, mtls.selfSignedPrivateKeyPem);
    await aRule('basic', secretBasic.clientId, { type: 'secret', clientSecret: secretBasic.clientSecret });
    await aRule('post', secretPost.clientId, {
      type: 'secret',
      clientSecret: secretPost.clientSecret,
      method: 'client_secret_post',
    });
    await aRule('mtls', tlsClientAuth.clientId, { type: 'mutual-tls', keyPairId: issued });
    await aRule('mtls self-signed', selfSignedTls.clientId, { type: 'mutual-tls', keyPairId: selfSigned });
    await aRule('jwt', privateKeyJwt.clientId, { type: 'private-key-jwt' });

    const { code, out, err } = await assent(['doctor', '--json']);
    expect(err).toBe('');
    const report = JSON.parse(out) as JsonReport;
    expect(report).toMatchObject({ ok: true, providers: [{ id: provider.id, name: 'Sandbox bank', ok: true }] });
    expect(codesOfRules(report.providers[0]!)).toEqual({
      basic: ['client_accepted'],
      post: ['client_accepted'],
      mtls: ['client_accepted'],
      'mtls self-signed': ['client_accepted'],
      jwt: ['client_accepted'],
    });
    expect(code).toBe(0);
    const asked = await fetch(`${sandbox.url}/phone/requests?loginHint=alice@example.com`);
    expect(await asked.json()).toEqual([]);
    const seen = await admin.call<TokenProvider>('GET', `/v1/token-providers/${provider.id}`);
    expect(seen.body.discovery).toMatchObject({ state: 'ok', problem: null });
  });

  it('finds what is wrong with each client, and ends with 2', async () => {
    const { secretBasic, tlsClientAuth } = sandbox.clients;
    const { mtls } = sandbox;
    const wrongPair = await keyPair(mtls.selfSignedCertificatePem, mtls.selfSignedPrivateKeyPem);
    await aRule('wrong secret', secretBasic.clientId, { type: 'secret', clientSecret: 'guessed' });
    await aRule('unknown client', 'nobody', { type: 'secret', clientSecret: 'guessed' });
    await aRule('wrong certificate', tlsClientAuth.clientId, { type: 'mutual-tls', keyPairId: wrongPair });
    await aRule('wrong assertion', secretBasic.clientId, { type: 'private-key-jwt' });
    await aRule(
      'strange wishes',
      secretBasic.clientId,
      { type: 'secret', clientSecret: secretBasic.clientSecret },
      { scopes: ['moon'], acrValues: ['urn:moon'] },
    );

    const { code, out } = await assent(['doctor', provider.id, '--json']);
    const [check] = (JSON.parse(out) as JsonReport).providers;
    expect(codesOfRules(check!)).toMatchObject({
      'wrong secret': ['client_secret_refused'],
      'unknown client': ['client_secret_refused'],
      'wrong certificate': ['client_certificate_not_recognised'],
      'wrong assertion': ['client_assertion_refused'],
      'strange wishes': ['scope_not_offered', 'acr_not_offered', 'client_accepted'],
      basic: ['client_accepted'],
    });
    expect(code).toBe(2);
  });

  it('prints what it found for people: worst first, with what to do, and no secret', async () => {
    const { code, out } = await assent(['doctor', 'Sandbox bank'], { FORCE_COLOR: '1' });
    expect(code).toBe(2);
    expect(out).toMatch(/^Sandbox bank {2}http:\/\/127\.0\.0\.1:\d+\n {2}error {4}/);
    expect(out).toContain('rule "wrong secret" · client_secret_refused');
    expect(out).toMatch(/\n {11}→ Compare the client id, set the secret again/);
    expect(out).toMatch(/\n1 token provider: 4 errors, \d+ warnings?\n$/);
    expect(out).not.toContain('\u001b');
    expect(out).not.toContain('guessed');
    expect(out.indexOf('warning')).toBeGreaterThan(out.lastIndexOf('  error  '));
  });

  it('finds a provider that is gone', async () => {
    const port = await freeConsecutivePorts(1);
    const gone = await admin.create<TokenProvider>('token-providers', {
      name: 'Gone',
      issuer: `http://127.0.0.1:${port}`,
    });
    const { code, out } = await assent(['doctor', 'Gone', '--json']);
    expect(code).toBe(2);
    expect((JSON.parse(out) as JsonReport).providers[0]?.findings).toMatchObject([
      { code: 'discovery_unreachable', severity: 'error', about: 'discovery' },
    ]);
    const seen = await admin.call<TokenProvider>('GET', `/v1/token-providers/${gone.id}`);
    expect(seen.body.discovery).toMatchObject({ state: 'failed', problem: expect.stringContaining('ECONNREFUSED') });
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    [
      'nobody answers',
      ['doctor'],
      { ASSENT_URL: 'http://127.0.0.1:1' },
      /cannot be reached at http:\/\/127\.0\.0\.1:1: /,
    ],
    ['the key is missing', ['doctor'], { ASSENT_API_KEY: '' }, /ASSENT_API_KEY is not set/],
    [
      'the key is unknown',
      ['doctor'],
      { ASSENT_API_KEY: 'assent_nobody_has_this_key' },
      /does not know this ASSENT_API_KEY/,
    ],
    ['the address is none', ['doctor'], { ASSENT_URL: 'here' }, /ASSENT_URL is not an http or https address/],
    [
      'the name is unknown',
      ['doctor', 'Nobody'],
      {},
      /No token provider has the name or id "Nobody": there are "Sandbox bank"/,
    ],
    ['the command is unknown', ['nurse'], {}, /There is no command "nurse"/],
    ['the option is unknown', ['doctor', '--yaml'], {}, /--yaml/],
    ['there is no command', [], {}, /assent doctor/],
  ])('says in one sentence that it could not ask when %s', async (_, args, env, sentence) => {
    const { code, out, err } = await assent(args, env);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('explains itself', async () => {
    const { code, out } = await assent(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('Usage: assent doctor');
  });
});
