import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '#app/sandbox';
import { CibaClient, type StartOutcome } from '#lib/ciba';
import type { Database, RuleRow } from '#lib/persistence';
import { Client } from 'pg';
import { cloneWithinThisRealm } from './support/one-realm.js';
import { aRule, openFixture, type DatabaseFixture } from './support/postgres-builders.js';
import { freeConsecutivePorts } from './support/rabbitmq-ports.js';

/**
 * Keys change under load, at a provider that we did not write and that keeps its copy of our keys for 60 s, whatever a
 * signature in the meantime says. The clock of the provider and of the client is moved, and the ages of the keys with it.
 */

const rotation = { everySeconds: 3600, publishedAheadSeconds: 65, retiredForSeconds: 600 };
const realNow = Date.now;
let aheadMs = 0;

let fixture: DatabaseFixture;
let another: Database;
let sql: Client;
let keys: Server;
let sandbox: Sandbox;
let client: CibaClient;
let rules: RuleRow[];

beforeAll(async () => {
  cloneWithinThisRealm();
  Date.now = () => realNow() + aheadMs;
  fixture = await openFixture();
  await fixture.database.signingKeys.ensure();
  another = await fixture.reopen();
  sql = new Client({ connectionString: fixture.url });
  await sql.connect();
  keys = createServer((_request, response) => {
    void fixture.database.signingKeys.publicJwks().then((jwks) => {
      response.setHeader('cache-control', 'public, max-age=60');
      response.setHeader('content-type', 'application/jwk-set+json');
      response.end(JSON.stringify(jwks));
    });
  });
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  sandbox = await startSandbox({
    port: await freeConsecutivePorts(2),
    assentUrl: `http://127.0.0.1:${(keys.address() as AddressInfo).port}`,
    assentApiKey: null,
  });
  client = new CibaClient({ allowInsecureHttp: true, now: () => new Date(Date.now()) });
  const provider = await fixture.database.tokenProviders.create({
    name: 'Sandbox',
    issuer: sandbox.issuer,
    profile: 'generic',
    metadata: null,
    trustedCertificates: [],
  });
  if (provider.kind !== 'created') throw new Error(provider.kind);
  const { privateKeyJwt, fapi } = sandbox.clients;
  const mine = { tokenProviderId: provider.row.id, clientCredentials: { type: 'private-key-jwt' } } as const;
  rules = [
    await aRule(fixture.database, { ...mine, clientId: privateKeyJwt.clientId }),
    await aRule(fixture.database, { ...mine, clientId: fapi.clientId, signedRequest: { alg: 'PS256' } }),
  ];
});

afterAll(async () => {
  await client.close();
  await sandbox.stop();
  await new Promise((resolve) => keys.close(resolve));
  await sql.end();
  await fixture.close();
  Date.now = realNow;
});

async function pass(seconds: number): Promise<void> {
  aheadMs += seconds * 1000;
  await sql.query(
    `update signing_keys set created_at = created_at - make_interval(secs => $1),
      activated_at = activated_at - make_interval(secs => $1), retired_at = retired_at - make_interval(secs => $1)`,
    [seconds],
  );
}

const request = {
  scope: 'openid',
  loginHint: 'alice@example.com',
  bindingMessage: null,
  requestedExpirySeconds: 60,
  acrValues: [],
  authorizationDetails: null,
  userCode: null,
  clientNotificationToken: null,
};

/** Requests of both rules, and a poll of each, by way of this instance's view of the keys. */
async function load(database: Database): Promise<string[]> {
  const outcomes: string[] = [];
  await Promise.all(
    [...rules, ...rules, ...rules].map(async (rule) => {
      const registration = await database.registrations.load(rule);
      const started: StartOutcome = await client.start(registration, request);
      outcomes.push(started.kind);
      if (started.kind !== 'acknowledged') return;
      outcomes.push((await client.poll(registration, started.authReqId)).kind);
    }),
  );
  return [...new Set(outcomes)].sort();
}

const good = ['acknowledged', 'pending'];

/** Another process, started by the true clock: one whose clock differs from the database's would be refused. */
async function reopened(): Promise<Database> {
  const travelled = Date.now;
  Date.now = realNow;
  try {
    return await fixture.reopen();
  } finally {
    Date.now = travelled;
  }
}

describe('signing keys that change under load', () => {
  it('fail no request at a provider that keeps our keys for a minute', async () => {
    const { signingKeys } = fixture.database;
    await pass(rotation.everySeconds);
    expect(await load(fixture.database)).toEqual(good);
    const [before] = await signingKeys.choice('client-assertion');

    // The provider has just taken a copy without the next keys, which are made now.
    expect(await signingKeys.rotate(rotation)).toBe(0);
    await pass(40);
    expect(await signingKeys.rotate(rotation)).toBe(0);
    expect(await load(fixture.database)).toEqual(good);
    expect(await load(another)).toEqual(good);

    await pass(30);
    const [changed, during] = await Promise.all([signingKeys.rotate(rotation), load(fixture.database)]);
    expect([changed, during]).toEqual([4, good]);
    const [after] = await signingKeys.choice('client-assertion');
    expect(after?.kid).not.toBe(before?.kid);
    expect(await load(await reopened())).toEqual(good);
    // An instance that has not noticed yet signs with the retired keys.
    expect(await load(another)).toEqual(good);
  });

  it('would fail them if the next key were not published ahead', async () => {
    await load(fixture.database);
    await sql.query('delete from signing_keys where activated_at is null');
    const hasty = { ...rotation, everySeconds: 0, publishedAheadSeconds: 0 };
    expect(await fixture.database.signingKeys.rotate(hasty)).toBe(4);
    expect(await load(await reopened())).toEqual(['refused']);
  });
});
