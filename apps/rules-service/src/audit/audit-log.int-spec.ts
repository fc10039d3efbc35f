import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import {
  routes,
  type AuditEvent,
  type AuditHead,
  type Page,
  type Problem,
  type Rule,
  type TokenProvider,
  type WebhookEndpoint,
} from '#lib/contracts';
import { ChainBroken, ChainVerifier, type ChainedEvent, type ChainHead, type ChainSummary } from '#lib/domain';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { createCertificateAuthority } from '../../../../test/support/certificates.js';
import { anEvidence, sealWhole } from '../../../../test/support/postgres-builders.js';
import { ruleBody, RulesHouse } from '../../../../test/support/rules-house.js';

let house: RulesHouse;
let admin: AssentClient;
beforeAll(async () => {
  house = await RulesHouse.open();
  admin = house.admin;
});
afterAll(() => house.close());

const events = async (query = ''): Promise<readonly AuditEvent[]> =>
  (await admin.call<Page<AuditEvent>>('GET', `/v1/audit-events?limit=100${query}`)).body.data;
const newest = async (): Promise<AuditEvent> => (await events())[0]!;
const seal = () => sealWhole(house.database, (text) => house.query(text));
const count = async (): Promise<number> =>
  Number((await house.query<{ count: string }>('select count(*) from audit_events'))[0]!.count);

/** The log as somebody with the database exports it, checked with the published keys. */
async function verified(
  anchors: readonly { sequence: number; hash: string }[] = [],
): Promise<ChainSummary | ChainBroken> {
  const lines = await house.query<{ line: string }>('select line from audit_export');
  const { body } = await admin.call<{ keys: (JsonWebKey & { kid: string })[] }>('GET', '/.well-known/jwks.json');
  const verifier = new ChainVerifier({
    anchors,
    sha256: (text) => createHash('sha256').update(text).digest('base64url'),
    verifySignature: ({ kid, signature }, text) => {
      const key = body.keys.find((one) => one.kid === kid);
      const [header, payload, bytes] = signature.split('.') as [string, string, string];
      if (key === undefined || Buffer.from(payload, 'base64url').toString() !== text) return false;
      const input = Buffer.from(`${header}.${payload}`);
      return verify(null, input, createPublicKey({ key, format: 'jwk' }), Buffer.from(bytes, 'base64url'));
    },
  });
  try {
    for (const { line } of lines) {
      const entry = JSON.parse(line) as { event: ChainedEvent } | { head: ChainHead };
      if ('event' in entry) verifier.event(entry.event);
      else verifier.head(entry.head);
    }
    return verifier.end();
  } catch (error) {
    if (error instanceof ChainBroken) return error;
    throw error;
  }
}

/** Somebody who owns the database, and whom no trigger holds. */
const tamper = (text: string): Promise<object[]> =>
  house.query(`begin; set local session_replication_role = replica; ${text}; commit`);

describe('every administrative call', () => {
  it('leaves an event: who, what, and which call (I24)', async () => {
    const provider = await house.provider({ name: 'Bank' });
    const rule = await admin.create<Rule>('rules', ruleBody(provider.id, { name: 'Pay' }));
    const handlerBody = { name: 'No', type: 'redirect', url: '/no' };
    const handler = await admin.create('rejection-handlers', handlerBody);
    const webhook = await admin.create<WebhookEndpoint>('webhook-endpoints', { url: 'https://shop.example/hook' });
    const client = await admin.create('api-clients', { name: 'Shop', scopes: ['requests:write'] });
    const authority = await createCertificateAuthority('Audit CA');
    const { certificatePem: certificate, privateKeyPem: privateKey } = await authority.issue({ commonName: 'tls' });
    const keyPair = await admin.create('key-pairs', { alias: 'tls', pem: { certificate, privateKey } });

    await house.query(`insert into master_keys (id, sealed_check, created_at) values ('retired', '', '2020-01-01')`);
    const calls: [string, string, unknown, string][] = [
      [
        'PUT',
        `token-providers/${provider.id}`,
        { name: 'Bank 2', issuer: 'https://op.example' },
        'token-provider.updated',
      ],
      ['PATCH', `token-providers/${provider.id}`, { name: 'Bank 3' }, 'token-provider.updated'],
      ['PUT', `rules/${rule.id}`, ruleBody(provider.id, { name: 'Pay 2' }), 'rule.updated'],
      ['PATCH', `rules/${rule.id}`, { enabled: false }, 'rule.updated'],
      ['PUT', `rejection-handlers/${handler.id}`, { ...handlerBody, url: '/never' }, 'rejection-handler.updated'],
      ['PATCH', `rejection-handlers/${handler.id}`, { url: '/no' }, 'rejection-handler.updated'],
      ['PUT', `webhook-endpoints/${webhook.id}`, { url: 'https://shop.example/2' }, 'webhook-endpoint.updated'],
      ['POST', `webhook-endpoints/${webhook.id}/rotate`, {}, 'webhook-endpoint.secret-rotated'],
      ['POST', `webhook-endpoints/${webhook.id}/test`, undefined, 'webhook-endpoint.test-ordered'],
      [
        'POST',
        `webhook-endpoints/${webhook.id}/deliveries/replay`,
        { since: '2026-01-01T00:00:00Z' },
        'webhook-endpoint.replay-ordered',
      ],
      [
        'POST',
        `webhook-endpoints/${webhook.id}/deliveries/${rule.id}/replay`,
        undefined,
        'webhook-endpoint.replay-ordered',
      ],
      ['PATCH', `webhook-endpoints/${webhook.id}`, { enabled: false }, 'webhook-endpoint.updated'],
      ['PATCH', `api-clients/${client.id}`, { enabled: false }, 'api-client.updated'],
      ['POST', `api-clients/${client.id}/rotate`, {}, 'api-client.key-rotated'],
      ['PATCH', `key-pairs/${keyPair.id}`, { alias: 'mtls' }, 'key-pair.updated'],
      ['PUT', `key-pairs/${keyPair.id}/certificate`, { certificate }, 'key-pair.updated'],
      ['DELETE', 'master-keys/retired', undefined, 'master-key.forgotten'],
      ['DELETE', `rules/${rule.id}`, undefined, 'rule.deleted'],
      ['DELETE', `token-providers/${provider.id}`, undefined, 'token-provider.deleted'],
      ['DELETE', `rejection-handlers/${handler.id}`, undefined, 'rejection-handler.deleted'],
      ['DELETE', `webhook-endpoints/${webhook.id}`, undefined, 'webhook-endpoint.deleted'],
      ['DELETE', `api-clients/${client.id}`, undefined, 'api-client.deleted'],
      ['DELETE', `key-pairs/${keyPair.id}`, undefined, 'key-pair.deleted'],
      ['POST', 'dead-letters/replay', {}, 'dead-letter.replay-ordered'],
      ['POST', `dead-letters/${rule.id}/replay`, undefined, 'dead-letter.replay-ordered'],
      ['DELETE', `dead-letters/${rule.id}`, undefined, 'dead-letter.drop-ordered'],
      ['POST', 'erasures', { loginHint: 'nobody@example.com' }, 'person.erased'],
    ];
    for (const [method, path, body, action] of calls) {
      const requestId = `call-${method}-${action}`;
      const answer = await admin.call(method, `/v1/${path}`, body, { 'x-request-id': requestId });
      expect(answer.headers.get('x-request-id')).toBe(requestId);
      const actor = { type: 'bootstrap-key', id: '00000000-0000-7000-8000-000000000000', name: null };
      expect(await newest()).toMatchObject({ action, requestId, actor });
    }

    const created = (await events()).map(({ action }) => action).filter((action) => action.endsWith('.created'));
    const kinds = ['token-provider', 'rule', 'rejection-handler', 'webhook-endpoint', 'api-client', 'key-pair'];
    expect(created.sort()).toEqual(kinds.map((kind) => `${kind}.created`).sort());

    const toNowhere = { className: 'RedirectRejectionHandler', configuration: { url: '/nowhere' } };
    const many: [string, unknown][] = [
      ['apply', { configuration: { rejectionHandlers: [{ name: 'Applied', type: 'redirect', url: '/applied' }] } }],
      ['import/pingaccess', { export: { data: { rejectionHandlers: [{ id: 7, name: 'Imported', ...toNowhere }] } } }],
    ];
    for (const [path, body] of many) {
      const answer = await admin.call('POST', `/v1/configuration/${path}`, body, { 'x-request-id': path });
      expect(answer.status).toBe(200);
      expect(await newest()).toMatchObject({ action: 'rejection-handler.created', requestId: path });
    }
    // A route that changes something, and that nobody has tried here, is one that may forget to say so.
    const tried = new Set([
      ...many.map(([path]) => `POST /v1/configuration/${path}`),
      ...calls.map(
        ([method, path]) =>
          `${method} /v1/${path.replace(/[0-9a-f-]{36}|retired/, '{id}').replace(/[0-9a-f-]{36}/, '{deliveryId}')}`,
      ),
      ...kinds.map((kind) => `POST /v1/${kind}s`),
      // They look, and change nothing.
      'POST /v1/token-providers/{id}/check',
      'POST /v1/configuration/diff',
    ]);
    const writing = routes.filter(({ scope, method }) => scope === 'admin:write' && method !== 'GET');
    expect(writing.map(({ method, path }) => `${method} ${path}`).filter((one) => !tried.has(one))).toEqual([]);
  });

  it.each(['webhook-endpoints/%00/test', 'webhook-endpoints/%00/deliveries/%00/replay', 'dead-letters/%00/replay'])(
    'about something that cannot be there leaves an event, and is answered 404: POST %s',
    async (path) => {
      expect((await admin.call('POST', `/v1/${path}`)).status).toBe(404);
    },
  );

  it('is shown with what it changed, and never with a secret', async () => {
    const { id: tokenProviderId } = await house.provider();
    const clientSecret = 'canary-audited-secret';
    const clientCredentials = { type: 'secret', clientSecret };
    const rule = await admin.create<Rule>('rules', ruleBody(tokenProviderId, { name: 'Seen', clientCredentials }));
    await admin.call('PATCH', `/v1/rules/${rule.id}`, { consumeWithinSeconds: 60, scopes: ['payments'] });
    const { changes, detail } = await newest();
    expect(detail).toEqual({ version: 2 });
    expect(changes).toEqual([
      { pointer: '/consumeWithinSeconds', before: 300, after: 60 },
      { pointer: '/scopes', before: [], after: ['payments'] },
    ]);
    await admin.call('PATCH', `/v1/rules/${rule.id}`, { clientCredentials: { clientSecret: `${clientSecret}-2` } });
    expect((await newest()).changes?.map(({ pointer }) => pointer)).toEqual(['/clientSecretSetAt']);

    const webhook = await admin.create<WebhookEndpoint & { secret: string }>('webhook-endpoints', {
      url: 'https://shop.example/hook',
    });
    expect((await newest()).changes).toContainEqual({ pointer: '/secret', before: null, after: '(secret)' });
    const made = await admin.create<{ id: string; key: string; callbackSecret: string }>('api-clients', {
      name: 'Secretive',
      scopes: ['requests:read'],
      callbackSecret: true,
      subjects: [{ equals: 'alice@example.com' }],
    });
    const { personal, changes: shown } = await newest();
    expect(personal).toMatchObject({ changes: [{ pointer: '/subjects' }] });
    expect(JSON.stringify(shown)).not.toContain('alice');
    const everything = JSON.stringify(await house.query('select * from audit_events'));
    for (const secret of [clientSecret, webhook.secret, made.key, made.callbackSecret]) {
      expect(everything).not.toContain(secret);
    }
  });

  it('names the API client, and leaves nothing when it changes nothing', async () => {
    const { id, key } = await admin.create<{ id: string; key: string }>('api-clients', {
      name: 'Administration',
      scopes: ['admin:write', 'admin:read'],
    });
    const client = new AssentClient(house.url, key);
    const provider = await client.create<TokenProvider>('token-providers', {
      name: 'By it',
      issuer: 'https://op.example',
    });
    expect(await newest()).toMatchObject({
      actor: { type: 'api-client', id, name: 'Administration' },
      resource: { type: 'token-provider', id: provider.id, name: 'By it' },
    });
    const before = await count();
    const refused = [
      await client.call<Problem>('POST', '/v1/token-providers', { name: 'By it', issuer: 'https://op.example' }),
      await client.call('PATCH', `/v1/token-providers/${provider.id}`, { name: 'x' }, { 'if-match': '"9"' }),
      await client.call('DELETE', `/v1/token-providers/${id}`),
      await client.call('POST', '/v1/rules', ruleBody(id)),
    ];
    expect(refused.map(({ status }) => status)).toEqual([409, 412, 404, 422]);
    expect(await count()).toBe(before);
  });

  it('can be found by actor, action, resource and time, a page after the other', async () => {
    const provider = await house.provider({ name: 'Found' });
    await admin.call('PATCH', `/v1/token-providers/${provider.id}`, { name: 'Found again' });
    const found = await events(`&resource=${provider.id}`);
    expect(found.map(({ action }) => action)).toEqual(['token-provider.updated', 'token-provider.created']);
    expect(await events(`&resource=${provider.id}&action=token-provider.created`)).toHaveLength(1);
    expect(await events(`&resource=${provider.id}&actor=system`)).toEqual([]);
    expect(await events(`&resource=${provider.id}&until=${found[1]!.at}`)).toEqual([]);
    expect(await events(`&resource=${provider.id}&since=${found[1]!.at}`)).toHaveLength(2);
    const pages: AuditEvent[] = [];
    let path: string | null = `/v1/audit-events?limit=1&resource=${provider.id}`;
    while (path !== null) {
      const { body, headers }: { body: Page<AuditEvent>; headers: Headers } = await admin.call('GET', path);
      pages.push(...body.data);
      path = /<(.*)>/.exec(headers.get('link') ?? '')?.[1] ?? null;
    }
    expect(pages).toEqual(found);
    const reader = await house.client('requests:read');
    expect((await reader.call('GET', '/v1/audit-events')).status).toBe(403);
    expect((await reader.call('GET', '/v1/audit-heads')).status).toBe(403);
    expect((await admin.call('GET', '/v1/audit-events?cursor=x')).status).toBe(400);
    expect((await admin.call('GET', '/v1/audit-events?afterSequence=0&cursor=x')).status).toBe(400);
    for (const bound of ['since', 'until'])
      expect(await admin.call('GET', `/v1/audit-events?${bound}=0000-12-31T23:00:00Z`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_parameter', errors: [{ pointer: `/${bound}` }] },
      });
  });
});

describe('the sealed log', () => {
  it('has every decision, in the chain, and is whole', async () => {
    const shop = await admin.create<{ id: string; key: string }>('api-clients', {
      name: 'The shop',
      scopes: ['requests:write', 'requests:read'],
    });
    const client = new AssentClient(house.url, shop.key);
    const rule = await house.rule();
    const ask = async () =>
      (await client.submit({ rule: rule.id, attributes: { email: 'alice@example.com' } })).body.id;
    const [approved, denied, cancelled] = [await ask(), await ask(), await ask()];
    await house.approve(approved);
    expect((await client.consume(approved)).status).toBe(200);
    await house.deny(denied);
    await client.cancel(cancelled);
    await seal();
    // Nothing is sealed twice.
    expect(await house.database.audit.seal()).toEqual({ events: 0, head: null });
    const { body } = await admin.call<Page<AuditHead>>('GET', '/v1/audit-heads?limit=100');
    const head = body.data.at(-1)!;

    const ofRequest = async (id: string) => (await events(`&resource=${id}`)).toReversed();
    const byShop = { type: 'api-client', id: shop.id, name: 'The shop' };
    const detail = {
      rule: { id: rule.id, name: rule.name, version: 1 },
      reason: null,
      requestHash: expect.any(String),
    };
    expect(await ofRequest(approved)).toMatchObject([
      {
        action: 'authorization-request.approved',
        actor: { type: 'person' },
        detail,
        personal: { subject: expect.any(String) },
      },
      { action: 'authorization-request.consumed', actor: byShop, detail, personal: null },
    ]);
    expect(await ofRequest(denied)).toMatchObject([
      { action: 'authorization-request.denied', actor: { type: 'person' } },
    ]);
    expect(await ofRequest(cancelled)).toMatchObject([{ action: 'authorization-request.cancelled', actor: byShop }]);

    const summary = await verified([{ sequence: head.lastSequence, hash: head.hash }]);
    expect(summary).toMatchObject({ lastSequence: head.lastSequence, lastHash: head.hash });
    const inOrder = await events('&afterSequence=0');
    expect(inOrder.map(({ sequence }) => sequence)).toEqual(inOrder.map((_, index) => index + 1));
  });

  it('seals once, however many processes try, and goes on where it was', async () => {
    for (let round = 0; round < 3; round++) {
      await house.provider();
      await Promise.all([1, 2, 3].map(() => house.database.audit.seal()));
    }
    await house.database.audit.seal();
    expect(await verified()).toMatchObject({ events: await count() });
  });

  it('leaves out what may still be followed by an earlier entry, and takes it up afterwards', async () => {
    const rule = await house.rule();
    const [first, second] = [await house.request(rule), await house.request(rule)];
    await house.database.audit.seal();
    // A transaction that has taken its place in the timeline, and does not end yet.
    await house.query('begin');
    await house.query('select id from authorization_requests where id = $1 for update', [first]);
    await house.query(
      `insert into request_timeline (request_id, type, detail) values ($1, 'expired', '{"asked": false}')`,
      [first],
    );
    await house.deny(second);
    await house.database.audit.seal();
    const decided = async () => (await events('&resource=authorization-request')).map(({ resource }) => resource.id);
    expect(await decided()).not.toContain(second);
    await house.query('commit');
    await seal();
    expect(await decided()).toEqual(expect.arrayContaining([first, second]));
    await house.query('delete from request_timeline where request_id = $1', [first]);
  });

  it('stays whole when a person is erased, and holds nothing of theirs', async () => {
    const rule = await house.rule();
    const id = await house.request(rule, { attributes: { email: 'erika@example.com' } });
    await house.approve(id, { evidence: anEvidence({ subject: 'subject of erika' }) });
    await seal();
    const [before] = await events(`&resource=${id}`);
    const subject = String(before!.personal!['subject']);
    const erased = await admin.call('POST', '/v1/erasures', { loginHint: 'erika@example.com' });
    expect(erased.status).toBe(200);
    const [after] = await events(`&resource=${id}`);
    expect(after).toEqual({ ...before, personal: null, personalSalt: null });
    expect(JSON.stringify(await house.query('select * from audit_events'))).not.toContain(`"${subject}"`);
    await house.database.audit.seal();
    expect(await verified()).toMatchObject({ erased: expect.any(Number) });
  });

  it('is signed by keys that stay verifiable when keys change', async () => {
    const rotation = { everySeconds: 0, publishedAheadSeconds: 0, retiredForSeconds: 0 };
    await house.database.signingKeys.rotate(rotation);
    // As somebody would who has to give up the key itself.
    await house.query(`update signing_keys set retired_at = clock_timestamp() - interval '1 day' where use = 'audit'`);
    await house.database.signingKeys.rotate(rotation);
    await house.provider();
    const other = await house.startService();
    expect(other.url).not.toBeNull();
    await house.query('select 1');
    const sealed = await house.database.audit.seal();
    expect(sealed.events).toBeGreaterThan(0);
    expect(await verified()).toMatchObject({ lastSequence: sealed.head!.lastSequence });
  });

  it('cannot be changed by a mistake', async () => {
    for (const text of [
      `update audit_events set action = 'x' where sequence = 1`,
      `update audit_events set hash = 'x' where sequence = 1`,
      `update audit_events set personal = '{"subject": "somebody"}', personal_salt = 'x' where sequence = 1`,
      'delete from audit_events where sequence = 1',
      `update audit_heads set hash = 'x' where batch = 1`,
      'delete from audit_heads where batch = 1',
    ]) {
      await expect(house.query(text)).rejects.toThrow(/neither changed nor deleted|personal_check/);
    }
  });

  it('shows whatever somebody changes who owns the database', async () => {
    const [last] = await house.query<{ sequence: string; hash: string }>(
      'select sequence, hash from audit_events where sequence is not null order by sequence desc limit 1',
    );
    const anchor = { sequence: Number(last!.sequence), hash: last!.hash };
    expect(await verified([anchor])).not.toBeInstanceOf(ChainBroken);
    const swap = 'case sequence when 3 then 5 else 3 end';
    const cases: [string, string, number][] = [
      [`update audit_events set actor_id = 'somebody else' where sequence = 4`, 'event', 4],
      [`delete from audit_events where sequence = 2`, 'event', 2],
      [
        `update audit_events set sequence = -sequence where sequence in (3, 5);
        update audit_events set sequence = ${swap.replace('sequence', '-sequence')} where sequence in (-3, -5)`,
        'event',
        3,
      ],
      [`delete from audit_heads where batch = 1`, 'head', 1],
      [`delete from audit_events where sequence = ${anchor.sequence}`, 'event', anchor.sequence],
      [
        `delete from audit_heads where batch = (select max(batch) from audit_heads);
        delete from audit_events where sequence > (select max(last_sequence) from audit_heads)`,
        'event',
        -1,
      ],
    ];
    for (const [text, place, number] of cases) {
      await house.query('create table kept_events as table audit_events');
      await house.query('create table kept_heads as table audit_heads');
      await tamper(text);
      const found = await verified([anchor]);
      expect({ text, found }).toMatchObject({ text, found: { place, ...(number > 0 && { number }) } });
      await tamper(`delete from audit_events; insert into audit_events table kept_events;
        delete from audit_heads; insert into audit_heads table kept_heads; drop table kept_events, kept_heads`);
    }
    expect(await verified([anchor])).not.toBeInstanceOf(ChainBroken);
  });
});
