import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuthorizationRequestDocument, Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './support/assent-client.js';
import { prepareComposition, type Composition } from './support/composition.js';
import { expand, hostileClientSecret, standardMetadata } from './support/hostile-answers.js';
import { categories, readHostileCases, type HostileCase, type HostileEnd } from './support/hostile-case.js';
import { startHostileProvider, type HostileProvider, type HostileTenant } from './support/hostile-provider.js';

/**
 * What a hostile, broken or unlucky token provider may do, as data, against the real services: every request comes to
 * the end that the design promises, nothing is approved that should not be, and the service does not notice.
 *
 * All cases but a few run at once; each has an issuer, a token provider and a rule of its own.
 */

interface Result {
  readonly ended: readonly HostileEnd[];
  readonly tenant: HostileTenant;
}

const folder = join(import.meta.dirname, 'hostile');
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .flatMap((file) => readHostileCases(join(folder, file)));
const minima = { backchannel: 80, token: 120, 'jwks, discovery, TLS, transport': 60, 'ping and push': 60 } as const;

let composition: Composition;
let provider: HostileProvider;
let assent: AssentClient;
let statuses: number[];
const results = new Map<string, Promise<Result>>();

beforeAll(async () => {
  // Below "error" nothing is logged, so each line of the log is one.
  composition = await prepareComposition('standalone', { env: { LOG_LEVEL: 'error' } });
  await composition.start();
  assent = new AssentClient(composition.url, composition.apiKey);
  provider = await startHostileProvider(`${composition.url}/v1/ciba/notifications`);
  statuses = [];
  let position = 0;
  const begin = async (hostileCase: HostileCase): Promise<void> => {
    const tenant = provider.add(hostileCase);
    const ruleName = `Rule ${++position}`;
    await configure(hostileCase, tenant, ruleName);
    const result = runCase(hostileCase, tenant, ruleName);
    // A case that fails does so in its own test.
    result.catch(() => undefined);
    results.set(hostileCase.name, result);
  };
  await Promise.all(cases.filter(({ alone }) => alone).map(begin));
  await Promise.allSettled(results.values());
  const crowd = cases.filter(({ alone }) => !alone);
  const waiting = crowd.sort((a, b) => Number(waitsForDeadline(b)) - Number(waitsForDeadline(a))).values();
  // Several at a time; and a case that has been configured runs while others are.
  const lane = async (): Promise<void> => {
    for (const hostileCase of waiting) await begin(hostileCase);
  };
  await Promise.all(Array.from({ length: 12 }, lane));
}, 400_000);

afterAll(async () => {
  await composition?.stop();
  await provider?.stop();
}, 60_000);

/** What only a deadline or a time limit ends takes a minute, and so goes first. */
const waitsForDeadline = ({ expected, start = [], token = [], jwks = [], discovery = [] }: HostileCase): boolean =>
  expected.status === 'expired' ||
  [...start, ...token, ...jwks, ...discovery].some(({ hang, stall, delayMs = 0 }) => hang || stall || delayMs > 0);

async function configure({ rule, tokenProvider, tls }: HostileCase, tenant: HostileTenant, ruleName: string) {
  const { issuer, clientId, context } = tenant;
  const own = expand(tokenProvider ?? {}, context) as { metadata?: object };
  const created = await assent.create<TokenProvider>('token-providers', {
    name: `Provider of ${ruleName}`,
    issuer,
    ...(tls !== undefined && { trustedCertificates: [provider.authorityPem] }),
    ...own,
    ...(own.metadata !== undefined && { metadata: { ...standardMetadata(context), ...own.metadata } }),
  });
  await assent.create<Rule>('rules', {
    name: ruleName,
    type: 'one-time-authorization',
    tokenProviderId: created.id,
    clientId,
    clientCredentials: { type: 'secret', clientSecret: hostileClientSecret },
    loginHintAttribute: 'email',
    ...(expand(rule ?? {}, context) as object),
  });
}

async function runCase(hostileCase: HostileCase, tenant: HostileTenant, rule: string): Promise<Result> {
  const ended: HostileEnd[] = [];
  for (let round = 0; round < (hostileCase.first === undefined ? 1 : 2); round++) {
    let accepted: (id: string) => void = () => undefined;
    tenant.notifyAfter(new Promise<string>((resolve) => (accepted = resolve)).then(changed));
    const { status, body } = await assent.submit({ rule, attributes: { email: `${tenant.clientId}@example.com` } });
    accepted(body.id);
    statuses.push(status);
    if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(body)}`);
    ended.push(await end(body.id));
  }
  await tenant.finish();
  return { ended, tenant };
}

/** A notification that overtakes the acknowledgement is another story: wait a moment for the request to move. */
const changed = (id: string) => assent.request(id, { prefer: 'wait=3', 'if-none-match': '"1"' });

/** The decision as everybody sees it; an approval that is none could not be consumed either. */
async function end(id: string): Promise<HostileEnd> {
  const document: AuthorizationRequestDocument = await assent.decided(id);
  expect(document.decision).toMatchObject({ outcome: document.status, reason: document.reason });
  const consumed = await assent.consume(id);
  statuses.push(consumed.status);
  expect(consumed.status).toBe(document.status === 'approved' ? 200 : 409);
  return { status: document.status as HostileEnd['status'], reason: document.reason };
}

describe.each(categories.filter((category) => cases.some((one) => one.category === category)))('%s', (category) => {
  it.each(cases.filter((one) => one.category === category).map((one) => [one.name, one] as const))(
    '%s',
    async (name, { expected, first, starts = first === undefined ? 1 : 2, polls }) => {
      const { ended, tenant } = await results.get(name)!;
      expect(ended).toEqual(first === undefined ? [expected] : [first, expected]);
      expect(tenant.calls.start).toBeLessThanOrEqual(starts);
      if (polls !== undefined) expect(tenant.calls.token).toBeLessThanOrEqual(polls);
      expect(tenant.notified.map(({ received }) => received)).toEqual(tenant.notified.map(({ wanted }) => wanted));
    },
    300_000,
  );
});

describe('all cases together', () => {
  it('leave the service up, without an answer of 5xx and without a line in its log', async () => {
    await Promise.allSettled(results.values());
    expect((await fetch(`${composition.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${composition.url}/health/ready`)).status).toBe(200);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
    const lines = composition.process('poller').output.split('\n');
    expect(lines.filter((line) => line.startsWith('{') || /warning|at async|Error:/i.test(line))).toEqual([]);
  }, 300_000);

  it('put nothing into an address: no secret, no hint, no id (R26)', async () => {
    const settled = await Promise.allSettled(results.values());
    const tenants = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.tenant] : []));
    const addresses = new Set(
      tenants.flatMap((tenant) => tenant.addresses.map((address) => address.split('/').slice(2).join('/'))),
    );
    expect([...addresses].sort()).toEqual(['.well-known/openid-configuration', 'jwks', 'start', 'token']);
  }, 300_000);

  it('are enough, each of its own name and with a meaning of its own', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    // Written differently and yet the same: what the provider does and how it has to end, without the name.
    const meanings = cases.map((one) => JSON.stringify(sorted({ ...one, name: '' })));
    expect(cases.filter((_case, index) => meanings.indexOf(meanings[index]!) !== index)).toEqual([]);
    const countOf = (...of: string[]) => cases.filter(({ category }) => of.includes(category)).length;
    expect(countOf('backchannel')).toBeGreaterThanOrEqual(minima.backchannel);
    expect(countOf('token')).toBeGreaterThanOrEqual(minima.token);
    expect(countOf('jwks', 'discovery', 'tls', 'transport')).toBeGreaterThanOrEqual(
      minima['jwks, discovery, TLS, transport'],
    );
    expect(countOf('ping', 'push')).toBeGreaterThanOrEqual(minima['ping and push']);
  });

  it('reach every end that each kind of trouble can have', () => {
    const reached = [
      ...new Set(cases.map(({ category, expected }) => `${category}: ${expected.reason ?? expected.status}`)),
    ].sort();
    expect(reached).toEqual(expect.arrayContaining(endsThatMustBeReached));
  });
});

/** Members in one order, so that the same is written alike. */
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, member]) => [name, sorted(member)]),
        )
      : value;

const endsThatMustBeReached = [
  'backchannel: approved',
  'backchannel: configuration_error',
  'backchannel: initiation_unknown',
  'backchannel: invalid_evidence',
  'backchannel: provider_error',
  'backchannel: provider_policy',
  'backchannel: provider_rejected',
  'backchannel: unknown_user',
  'discovery: approved',
  'discovery: configuration_error',
  'discovery: provider_error',
  'jwks: approved',
  'jwks: invalid_evidence',
  'ping: approved',
  'ping: configuration_error',
  'ping: denied',
  'ping: expired',
  'ping: initiation_unknown',
  'ping: invalid_evidence',
  'ping: outcome_unknown',
  'push: approved',
  'push: configuration_error',
  'push: denied',
  'push: expired',
  'push: invalid_evidence',
  'push: provider_rejected',
  'tls: approved',
  'tls: provider_error',
  'token: approved',
  'token: configuration_error',
  'token: denied',
  'token: expired',
  'token: invalid_evidence',
  'token: outcome_unknown',
  'token: provider_error',
  'token: provider_rejected',
  'transport: approved',
  'transport: initiation_unknown',
  'transport: outcome_unknown',
  'transport: provider_error',
];
