import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rejectionHandler } from '#lib/contracts';
import { defaultRejectionHandlers, renderRejection, templateVariables, type TemplateValues } from '#lib/domain';
import { Client } from 'pg';
import {
  aDefinition,
  aProvider,
  aRule,
  clientDefaults,
  type DatabaseFixture,
  openFixture,
  submitted,
} from '../../../../test/support/postgres-builders.js';
import type { Database, KeyPairFacts } from '../index.js';

const facts: KeyPairFacts = {
  subject: 'CN=client',
  issuer: 'CN=ca',
  serialNumber: '01',
  notBefore: '2026-01-01T00:00:00.000Z',
  notAfter: '2027-01-01T00:00:00.000Z',
  keyAlgorithm: 'EC P-256',
  sha256Fingerprint: 'AA',
  subjectAlternativeNames: [],
  warnings: [],
};

describe('administered objects', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  beforeAll(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
  });
  afterAll(() => fixture.close());

  const provider = {
    issuer: 'https://op',
    profile: 'generic' as const,
    metadata: null,
    trustedCertificates: [],
  };
  const aKeyPair = async () => {
    const created = await database.keyPairs.create({
      alias: randomUUID(),
      certificateChainPem: ['certificate', 'chain'],
      privateKeyPem: 'private-key',
      facts,
    });
    if (created.kind !== 'created') throw new Error(created.kind);
    return created.row;
  };

  it('creates, finds, changes and deletes a token provider under its version', async () => {
    const name = randomUUID();
    const { tokenProviders } = database;
    const created = await tokenProviders.create({
      ...provider,
      name,
      trustedCertificates: ['pem'],
      metadata: { b: 1, a: 2 },
    });
    if (created.kind !== 'created') throw new Error(created.kind);
    const { row } = created;
    expect(row).toMatchObject({ version: 1, discovery: { state: 'explicit' }, trustedCertificates: ['pem'] });
    expect(await tokenProviders.findByName(name)).toEqual(row);
    expect(await tokenProviders.create({ ...provider, name })).toEqual({ kind: 'name-taken' });

    const changed = await tokenProviders.update(row.id, 1, { ...provider, name, trustedCertificates: [] });
    expect(changed).toMatchObject({ kind: 'updated', row: { version: 2, discovery: { state: 'not-tried' } } });
    expect(await tokenProviders.update(row.id, 1, { ...provider, name })).toMatchObject({
      kind: 'version-mismatch',
      current: { version: 2 },
    });
    const checkedAt = new Date('2026-11-22T10:00:00.123Z');
    await tokenProviders.recordDiscovery(row.id, { state: 'failed', checkedAt, problem: 'away' });
    expect(await tokenProviders.find(row.id)).toMatchObject({
      version: 2,
      discovery: { state: 'failed', checkedAt, problem: 'away' },
    });
    expect(await tokenProviders.delete(row.id, 1)).toMatchObject({ kind: 'version-mismatch' });
    expect(await tokenProviders.delete(row.id, 2)).toEqual({ kind: 'deleted' });
    for (const id of [row.id, 'no-uuid']) {
      expect(await tokenProviders.find(id)).toBeNull();
      expect(await tokenProviders.update(id, null, { ...provider, name })).toEqual({ kind: 'not-found' });
      expect(await tokenProviders.delete(id, null)).toEqual({ kind: 'not-found' });
    }
  });

  it('lets one of two changes under the same version win', async () => {
    const row = await aProvider(database);
    const results = await Promise.all(
      ['a', 'b'].map((issuer) => database.tokenProviders.update(row.id, 1, { ...provider, name: row.name, issuer })),
    );
    expect(results.map(({ kind }) => kind).sort()).toEqual(['updated', 'version-mismatch']);
  });

  it('refuses to rename to a name that is taken', async () => {
    const [one, two] = [await aProvider(database), await aProvider(database)];
    expect(await database.tokenProviders.update(one.id, null, { ...provider, name: two.name })).toEqual({
      kind: 'name-taken',
    });
  });

  it('lists page by page, oldest first', async () => {
    const own = await openFixture();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) await aProvider(own.database, name);
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await own.database.tokenProviders.list({ limit: 2, cursor });
      seen.push(...page.data.map(({ name }) => name));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen.slice(1)).toEqual(names);
    await own.close();
  });

  it('keeps every version of a rule, and the secret over changes that leave it out', async () => {
    const rule = await aRule(database, { tokenProviderId: fixture.provider.id });
    const load = async (version: number) => (await database.registrations.load({ id: rule.id, version })).credentials;
    const change = (version: number, clientId: string, clientSecret: string | null) =>
      database.rules.update(rule.id, version, { definition: { ...rule.definition, clientId }, clientSecret });

    expect(await change(1, 'renamed', null)).toMatchObject({
      kind: 'updated',
      row: { version: 2, definition: { clientId: 'renamed' }, clientSecretSetAt: rule.clientSecretSetAt },
    });
    expect(await change(2, 'renamed', 'rotated')).toMatchObject({ kind: 'updated', row: { version: 3 } });
    expect(await change(2, 'late', null)).toMatchObject({ kind: 'version-mismatch', current: { version: 3 } });

    expect(await load(1)).toEqual({ type: 'secret', clientSecret: 'client-secret', method: null });
    expect(await load(2)).toEqual({ type: 'secret', clientSecret: 'client-secret', method: null });
    expect(await load(3)).toEqual({ type: 'secret', clientSecret: 'rotated', method: null });
    expect((await database.rules.find(rule.id))!.definition).toEqual({ ...rule.definition, clientId: 'renamed' });
    await expect(load(4)).rejects.toThrow('gone');
  });

  it('drops the secret with the credentials that need it', async () => {
    const rule = await aRule(database, { tokenProviderId: fixture.provider.id });
    const definition = { ...rule.definition, clientCredentials: { type: 'private-key-jwt' } as const };
    expect(await database.rules.update(rule.id, null, { definition, clientSecret: null })).toMatchObject({
      row: { clientSecretSetAt: null },
    });
    await database.rules.update(rule.id, null, { definition: rule.definition, clientSecret: null });
    await expect(database.registrations.load({ id: rule.id, version: 3 })).rejects.toThrow('no client secret');
  });

  it('loads the credentials of a rule, whatever their type', async () => {
    const keyPair = await aKeyPair();
    const tokenProviderId = fixture.provider.id;
    const mutualTls = await aRule(database, {
      tokenProviderId,
      clientCredentials: { type: 'mutual-tls', keyPairId: keyPair.id, method: 'tls_client_auth' },
    });
    expect(await database.registrations.load(mutualTls)).toEqual({
      key: `${mutualTls.id}:1:1`,
      provider: {
        id: `${fixture.provider.id}:1`,
        issuer: 'https://op.example',
        metadata: null,
        trustedCertificates: [],
        profile: 'generic',
      },
      clientId: 'client',
      credentials: {
        type: 'mutual-tls',
        certificateChainPem: 'certificate\nchain',
        privateKeyPem: 'private-key',
        method: 'tls_client_auth',
      },
      requestSigning: null,
      fapi: false,
      dpop: false,
      decryptionKeys: [],
      refusedCalls: [],
    });
    const assertion = await aRule(database, { tokenProviderId, clientCredentials: { type: 'private-key-jwt' } });
    const { credentials } = await database.registrations.load(assertion);
    const [signingKey, ...furtherKeys] = await database.signingKeys.choice('client-assertion');
    expect(credentials).toEqual({ type: 'private-key-jwt', signingKey, furtherKeys });
  });

  it.each([
    [true, null],
    [{ alg: 'PS256' } as const, 'PS256'],
  ])('loads the keys that sign requests when the rule says %j (R31)', async (signedRequest, alg) => {
    const rule = await aRule(database, { tokenProviderId: fixture.provider.id, signedRequest });
    const keys = await database.signingKeys.choice('request-object');
    expect(keys.map((key) => key.alg)).toEqual(['ES256', 'PS256']);
    expect(await database.registrations.load(rule)).toMatchObject({
      key: [rule.id, 1, ...keys.map(({ kid }) => kid)].join(':'),
      requestSigning: { keys, alg },
    });
  });

  it('takes a rule with fapi at its word, and not a version that does not know how to say it (R118)', async () => {
    const fapi = { fapi: true, signedRequest: false, clientCredentials: { type: 'private-key-jwt' } } as const;
    const rule = await aRule(database, { tokenProviderId: fixture.provider.id, ...fapi });
    expect(await database.registrations.load(rule)).toMatchObject({ requestSigning: null });
    // As a version writes that does not have the mark.
    const client = new Client({ connectionString: fixture.url });
    await client.connect();
    await client.query(
      `insert into rule_versions (rule_id, version, definition, token_provider_id)
       select rule_id, 2, definition, token_provider_id from rule_versions where rule_id = $1`,
      [rule.id],
    );
    await client.end();
    const { requestSigning } = await database.registrations.load({ id: rule.id, version: 2 });
    expect(requestSigning).toMatchObject({ alg: null });
  });

  it('names the reference of a rule that does not exist', async () => {
    const create = (over: Parameters<typeof aDefinition>[0]) =>
      database.rules.create({ definition: aDefinition(over), clientSecret: null });
    const tokenProviderId = fixture.provider.id;
    const missing = randomUUID();
    expect(await create({ tokenProviderId: missing })).toEqual({
      kind: 'unknown-reference',
      member: 'tokenProviderId',
    });
    expect(
      await create({ tokenProviderId, clientCredentials: { type: 'mutual-tls', keyPairId: missing, method: null } }),
    ).toEqual({ kind: 'unknown-reference', member: 'clientCredentials/keyPairId' });
    for (const member of ['timeoutRejectionHandlerId', 'denyRejectionHandlerId', 'errorRejectionHandlerId']) {
      expect(await create({ tokenProviderId, [member]: missing })).toEqual({ kind: 'unknown-reference', member });
    }
    expect(await create({ tokenProviderId, name: fixture.rule.definition.name })).toEqual({ kind: 'name-taken' });
  });

  it('deletes nothing that a rule uses, and names the rules', async () => {
    const { rejectionHandlers, tokenProviders, keyPairs, rules } = database;
    const handler = await rejectionHandlers.create({
      name: randomUUID(),
      definition: { type: 'redirect', status: 302, url: '/sorry' },
    });
    if (handler.kind !== 'created') throw new Error(handler.kind);
    const own = await aProvider(database);
    const keyPair = await aKeyPair();
    const rule = await aRule(database, {
      tokenProviderId: own.id,
      denyRejectionHandlerId: handler.row.id,
      clientCredentials: { type: 'mutual-tls', keyPairId: keyPair.id, method: null },
    });
    const inUse = { kind: 'in-use', users: [{ kind: 'rule', id: rule.id, name: rule.definition.name }] };
    expect(await tokenProviders.delete(own.id, null)).toEqual(inUse);
    expect(await keyPairs.delete(keyPair.id, null)).toEqual(inUse);
    expect(await rejectionHandlers.delete(handler.row.id, null)).toEqual(inUse);

    expect(await rules.delete(rule.id, null)).toEqual({ kind: 'deleted' });
    expect(await rules.find(rule.id)).toBeNull();
    expect(await keyPairs.delete(keyPair.id, null)).toEqual({ kind: 'deleted' });
    expect(await rejectionHandlers.delete(handler.row.id, null)).toEqual({ kind: 'deleted' });
    expect(await tokenProviders.delete(own.id, null)).toEqual({ kind: 'deleted' });
  });

  it('deletes no rule, and no provider, that a request still runs under', async () => {
    const [first, second] = [await aProvider(database), await aProvider(database)];
    const rule = await aRule(database, { tokenProviderId: first.id });
    const id = await submitted(database, rule);
    const users = [{ kind: 'authorization-request', id, name: rule.definition.name }];
    expect(await database.rules.delete(rule.id, null)).toEqual({ kind: 'in-use', users });

    // The rule moves to another provider; the request stays with the version that it started under.
    const definition = { ...rule.definition, tokenProviderId: second.id };
    await database.rules.update(rule.id, null, { definition, clientSecret: null });
    expect(await database.tokenProviders.delete(first.id, null)).toEqual({ kind: 'in-use', users });

    await database.requests.change(id, { type: 'cancel', by: 'client' });
    expect(await database.tokenProviders.delete(first.id, null)).toEqual({ kind: 'deleted' });
    expect(await database.rules.delete(rule.id, null)).toEqual({ kind: 'deleted' });
    expect(await database.requests.view(id, null)).toMatchObject({ rule: { name: rule.definition.name } });
  });

  it('deletes no rejection handler that a request may still end with', async () => {
    const { rejectionHandlers } = database;
    const definition = { type: 'redirect', status: 302, url: '/denied' } as const;
    const handler = await rejectionHandlers.create({ name: `To /denied ${randomUUID()}`, definition });
    if (handler.kind !== 'created') throw new Error(handler.kind);
    const rule = await aRule(database, {
      tokenProviderId: fixture.provider.id,
      denyRejectionHandlerId: handler.row.id,
    });
    const id = await submitted(database, rule);
    await database.rules.update(rule.id, null, {
      definition: { ...rule.definition, denyRejectionHandlerId: null },
      clientSecret: null,
    });
    const users = [{ kind: 'authorization-request', id, name: rule.definition.name }];
    expect(await rejectionHandlers.delete(handler.row.id, null)).toEqual({ kind: 'in-use', users });
    await database.requests.change(id, { type: 'cancel', by: 'client' });
    expect(await rejectionHandlers.delete(handler.row.id, null)).toEqual({ kind: 'deleted' });
  });

  it('finds a rule for a submission by id and by name, and sees its own change at once', async () => {
    const rule = await aRule(database, { tokenProviderId: fixture.provider.id });
    const expected = {
      id: rule.id,
      version: 1,
      definition: rule.definition,
      provider: { id: fixture.provider.id, profile: 'generic', issuer: fixture.provider.issuer },
    };
    expect(await database.rules.findForSubmit(rule.id)).toEqual(expected);
    expect(await database.rules.findForSubmit(rule.definition.name)).toEqual(expected);
    expect(await database.rules.findForSubmit('nobody')).toBeNull();
    expect(await database.rules.findForSubmit('a\u0000b')).toBeNull();
    expect(await database.rules.findByName('a\u0000b')).toBeNull();
    expect((await database.requests.list({ apiClientId: null, rule: '\u0000', limit: 1 })).data).toEqual([]);
    const definition = { ...rule.definition, enabled: false };
    await database.rules.update(rule.id, null, { definition, clientSecret: null });
    expect(await database.rules.findForSubmit(rule.id)).toMatchObject({ version: 2, definition: { enabled: false } });
  });

  it('has three predefined rejection handlers that stay as they are', async () => {
    const values = Object.fromEntries(templateVariables.map((name) => [name, `<${name}>"`])) as TemplateValues;
    const expected = {
      web: [403, 'text/html'],
      api: [403, 'application/json'],
      rateLimiting: [429, 'application/json'],
    };
    for (const [which, id] of Object.entries(defaultRejectionHandlers)) {
      const row = (await database.rejectionHandlers.find(id))!;
      const [status, contentType] = expected[which as keyof typeof expected];
      const { createdAt, updatedAt, definition, ...rest } = row;
      const shown = { ...rest, ...definition, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
      expect(rejectionHandler.parse(shown)).toMatchObject({ predefined: true, status });
      const response = renderRejection(definition, values);
      expect(response.headers['content-type']).toContain(contentType);
      if (contentType === 'application/json') {
        expect(JSON.parse(response.body!)).toEqual({
          title: values.title,
          outcome: values.outcome,
          reason: values.reason,
          requestId: values.requestId,
        });
      } else {
        expect(response.body).toContain('&lt;header&gt;');
      }
      expect(await database.rejectionHandlers.update(id, null, row)).toEqual({ kind: 'predefined' });
      expect(await database.rejectionHandlers.delete(id, null)).toEqual({ kind: 'predefined' });
    }
  });

  it('knows an API client by the hash of its key, and at once by the new one after a change', async () => {
    const keyHash = (key: string) => createHash('sha256').update(key).digest();
    const created = await database.apiClients.create({
      name: 'shop',
      scopes: ['requests:write'],
      ...clientDefaults,
      keyHash: keyHash('first'),
      keyPrefix: 'first',
      callbackSecret: 'whsec_callback',
    });
    if (created.kind !== 'created') throw new Error(created.kind);
    expect(await database.apiClients.findByKeyHash(keyHash('first'))).toEqual({
      client: created.row,
      keyExpiresAt: null,
    });
    expect(created.row).toMatchObject({ hasCallbackSecret: true, keyPrefix: 'first' });

    await database.apiClients.update(created.row.id, 1, {
      name: 'shop',
      scopes: ['requests:write', 'requests:read'],
      ...clientDefaults,
      keyHash: keyHash('second'),
      keyPrefix: 'second',
    });
    expect(await database.apiClients.findByKeyHash(keyHash('first'))).toBeNull();
    expect(await database.apiClients.findByKeyHash(keyHash('second'))).toMatchObject({
      client: { version: 2, hasCallbackSecret: true, scopes: ['requests:write', 'requests:read'] },
    });
    expect(await database.apiClients.delete(created.row.id, null)).toEqual({ kind: 'deleted' });
    expect(await database.apiClients.findByKeyHash(keyHash('second'))).toBeNull();
  });

  it('opens no secret that was copied from another row', async () => {
    const [own, foreign] = [
      await aRule(database, { tokenProviderId: fixture.provider.id }),
      await aRule(database, { tokenProviderId: fixture.provider.id }),
    ];
    const client = new Client({ connectionString: fixture.url });
    await client.connect();
    await client.query(
      `update rule_versions set client_secret = (select client_secret from rule_versions where rule_id = $2) where rule_id = $1`,
      [own.id, foreign.id],
    );
    await client.end();
    await expect(database.registrations.load(own)).rejects.toThrow('does not open');
    expect(await database.registrations.load(foreign)).toMatchObject({ clientId: 'client' });
  });
});
