import { routes, scopes, type Problem, type Route, type Scope } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod, type Type } from '@nestjs/common';
import { accessMatrix } from '../../../../test/support/access-matrix.js';
import { AssentClient } from '../../../../test/support/assent-client.js';
import { RulesHouse } from '../../../../test/support/rules-house.js';
import { RulesServiceModule } from '../rules-service.module.js';
import { newApiKey } from './api-key.js';
import { contractRoute } from './contract-route.js';

// Served by the runtime for every service alike.
const operations = ['/health/live', '/health/ready', '/metrics'];
const ours = routes.filter(({ path }) => !operations.includes(path));
/** From the matrix, not from the contract that the guard reads. */
const needs = ({ operationId }: Route): Scope | null => accessMatrix[operationId]![0];
const anId = '01890000-0000-7000-8000-00000000ffff';
const placeOf = ({ method, path }: Route) => `${method} ${path}`;

describe('access', () => {
  let house: RulesHouse;
  const clients = new Map<Scope, AssentClient>();
  beforeAll(async () => {
    house = await RulesHouse.open();
    for (const scope of scopes) clients.set(scope, await house.client(scope));
  });
  afterAll(() => house.close());

  const call = async ({ apiKey }: AssentClient, { method, path }: Route, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${house.url}${path.replace('{id}', anId).replace('{code}', 'not_found')}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(method !== 'GET' && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(method !== 'GET' && { body: '{}' }),
    });
    const text = await answer.text();
    const isProblem = answer.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
    return { status: answer.status, headers: answer.headers, body: isProblem ? (JSON.parse(text) as Problem) : null };
  };

  it('knows every route that a controller registers, and every route that it knows is registered', () => {
    const registered = registeredRoutes(house);
    expect(registered.length).toBeGreaterThan(40);
    for (const { method, url } of registered) {
      expect([method, url, contractRoute(method, url)?.operationId]).toEqual([method, url, expect.any(String)]);
    }
    const served = new Set(registered.map(({ method, url }) => contractRoute(method, url)));
    expect(ours.filter((route) => !served.has(route)).map(placeOf)).toEqual([]);
  });

  describe.each(ours.map((route) => [placeOf(route), route] as const))('to %s', (_, route) => {
    it('is what the contract says, for every scope', async () => {
      for (const scope of scopes) {
        const { status, body, headers } = await call(clients.get(scope)!, route);
        const permitted = needs(route) === null || needs(route) === scope;
        const refused = status === 403 || (status === 401 && route.tag !== 'Notifications');
        expect([scope, status, refused]).toEqual([scope, status, !permitted]);
        if (permitted) continue;
        expect(body).toMatchObject({ code: 'insufficient_scope', status: 403 });
        expect(body?.detail).toContain(needs(route));
        expect(headers.get('www-authenticate')).toBe(`Bearer error="insufficient_scope", scope="${needs(route)}"`);
      }
    });

    it('needs a key, unless it is public', async () => {
      if (route.tag === 'Notifications') return;
      const wrong = ['', 'Bearer', 'Bearer ', 'Basic YTpi', `Bearer ${newApiKey()}`, `Bearer ${house.apiKey}x`];
      for (const authorization of wrong) {
        const { status, body, headers } = await call(clients.get('admin:read')!, route, { authorization });
        if (needs(route) === null) {
          expect(status).toBe(200);
          continue;
        }
        expect([authorization, status]).toEqual([authorization, 401]);
        expect(body).toMatchObject({ code: 'unauthenticated', status: 401 });
        expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      }
    });
  });

  it('lets no browser do anything with an answer', async () => {
    for (const path of ['/v1/rules', '/v1/rules/none', '/.well-known/jwks.json']) {
      const { headers } = await house.admin.call('GET', path, undefined, { origin: 'https://evil.example' });
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await house.admin.call('GET', '/v1/rules')).headers.get('cache-control')).toBe('no-store');
  });

  it('lets the bootstrap key do everything', async () => {
    for (const route of ours.filter(({ tag }) => tag !== 'Notifications')) {
      const { status } = await call(house.admin, route);
      expect([placeOf(route), status === 401 || status === 403]).toEqual([placeOf(route), false]);
    }
  });

  it('ends when a client is deleted, and narrows when its scopes are', async () => {
    const made = await house.admin.create<{ id: string; key: string }>('api-clients', {
      name: 'Short-lived',
      scopes: ['admin:read', 'requests:read'],
    });
    const client = new AssentClient(house.url, made.key);
    const one = `/v1/api-clients/${made.id}`;
    expect((await client.call('GET', '/v1/rules')).status).toBe(200);
    await house.admin.call('PATCH', one, { scopes: ['requests:read'] });
    expect((await client.call('GET', '/v1/rules')).status).toBe(403);
    expect((await client.call('GET', '/v1/authorization-requests')).status).toBe(200);
    expect((await house.admin.call('DELETE', one)).status).toBe(204);
    expect((await client.call('GET', '/v1/authorization-requests')).status).toBe(401);
  });

  it('keeps no key that could be used', async () => {
    const made = await house.admin.create<{ id: string; key: string; callbackSecret: string }>('api-clients', {
      name: 'Canary',
      scopes: ['requests:read'],
      callbackSecret: true,
    });
    const rows = await house.query('select *, encode(callback_secret, $1) as secret from api_clients', ['escape']);
    const dump = JSON.stringify(rows);
    expect(dump).toContain('Canary');
    expect(dump).not.toContain(made.key);
    expect(dump).not.toContain(made.callbackSecret);
    expect(made.callbackSecret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { body } = await house.admin.call<object>('GET', `/v1/api-clients/${made.id}`);
    expect(body).toMatchObject({ name: 'Canary', hasCallbackSecret: true, keyPrefix: made.key.slice(0, 11) });
    expect(Object.keys(body)).not.toContain('key');
    expect(Object.keys(body)).not.toContain('callbackSecret');
  });
});

describe('notifications', () => {
  let house: RulesHouse;
  beforeAll(async () => {
    house = await RulesHouse.open();
  });
  afterAll(() => house.close());

  it('fit no bearer that was not given out', async () => {
    const client = new AssentClient(house.url, 'any-token');
    const notify = (body: unknown) => client.call<Problem>('POST', '/v1/ciba/notifications', body);
    const heard = await notify({ auth_req_id: 'x' });
    expect(heard).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(heard.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect((await notify({ anything: 'else' })).status).toBe(401);
    // Whoever has no fitting bearer learns nothing about bodies: not one byte of them is read.
    expect((await notify({ auth_req_id: 'x'.repeat(5000) })).status).toBe(401);
  });
});

/** What the module's controllers declare, read from the same metadata that Nest reads. */
function registeredRoutes(house: RulesHouse): { method: string; url: string }[] {
  const controllers = RulesServiceModule.register(house.parts).controllers as Type<object>[];
  return controllers.flatMap((controller) => {
    const prefix = Reflect.getMetadata(PATH_METADATA, controller) as string;
    const prototype = controller.prototype as Record<string, object>;
    return Object.getOwnPropertyNames(prototype)
      .filter((name) => name !== 'constructor' && Reflect.hasMetadata(METHOD_METADATA, prototype[name]!))
      .map((name) => {
        const path = Reflect.getMetadata(PATH_METADATA, prototype[name]!) as string;
        const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, prototype[name]!) as RequestMethod];
        return { method, url: `/${prefix}/${path}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1') };
      });
  });
}
