import type { Problem, RulePreview } from '#lib/contracts';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { RulesHouse } from '../../../../test/support/rules-house.js';

const limitMs = 60_000;
let house: RulesHouse;
beforeAll(async () => {
  house = await RulesHouse.open();
}, limitMs);
afterAll(() => house?.close(), limitMs);

const metadata = {
  token_endpoint: 'https://op.example/token',
  jwks_uri: 'https://op.example/jwks',
  backchannel_authentication_endpoint: 'https://op.example/backchannel',
  backchannel_token_delivery_modes_supported: ['poll', 'ping'],
  backchannel_authentication_request_signing_alg_values_supported: ['ES256', 'PS256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
};
const attributes = { email: 'alice@example.com', amount: '25 EUR' };
const rule = async (over: object = {}, provider: object = { metadata }) =>
  house.rule({ tokenProviderId: (await house.provider(provider)).id, bindingMessage: 'Pay {{amount}}', ...over });
const preview = ({ id }: { readonly id: string }, body: object = { attributes }) =>
  house.admin.call<RulePreview & Problem>('POST', `/v1/rules/${id}/preview`, body);

it('shows the call of a rule with a secret, without the secret, and keeps nothing', async () => {
  const made = await rule({ requestedExpirySeconds: 90, scopes: ['pay'] });
  const { status, body } = await preview(made);
  expect([status, body]).toEqual([
    200,
    {
      rule: { id: made.id, name: made.name, version: 1 },
      bindingMessage: 'Pay 25 EUR',
      request: {
        method: 'POST',
        url: 'https://op.example/backchannel',
        headers: expect.objectContaining({ authorization: 'Basic (secret)' }) as object,
        form: {
          scope: 'openid pay',
          login_hint: attributes.email,
          binding_message: 'Pay 25 EUR',
          requested_expiry: '90',
        },
        signed: {},
        clientCertificate: false,
      },
      problem: null,
    },
  ]);
  expect(await house.query('select id from authorization_requests where rule_id = $1', [made.id])).toEqual([]);
});

it('shows what is signed, and no signature; every other secret is marked as well', async () => {
  const signed = await rule({
    clientCredentials: { type: 'private-key-jwt' },
    signedRequest: true,
    deliveryMode: 'ping',
  });
  const { request } = (await preview(signed)).body;
  expect(request!.form['client_assertion']).toMatch(/\.\(signature\)$/);
  expect(request!.signed['request']!.claims).toMatchObject({
    login_hint: attributes.email,
    binding_message: 'Pay 25 EUR',
    client_notification_token: '(made for each request)',
  });
  const post = await rule({
    clientCredentials: { type: 'secret', method: 'client_secret_post', clientSecret: 'canary-client-secret' },
  });
  const shown = (await preview(post)).body;
  expect(shown.request!.form['client_secret']).toBe('(secret)');
  expect(JSON.stringify(shown)).not.toContain('canary');
});

it('says why there would be no call', async () => {
  const away = await rule({}, { issuer: 'http://127.0.0.1:1' });
  expect((await preview(away)).body).toMatchObject({ request: null, problem: { kind: 'unavailable' } });
  const push = await rule({ deliveryMode: 'push' });
  expect((await preview(push)).body).toMatchObject({ request: null, problem: { kind: 'misconfigured' } });
});

it('refuses what a submission would refuse, and what is no rule', async () => {
  const made = await rule();
  expect((await preview(made, { attributes: {} })).body).toMatchObject({ status: 422, code: 'login_hint_missing' });
  const bare = await preview(made, { attributes: { email: 'alice@example.com' } });
  const submitted = await house.admin.submit({ rule: made.id, attributes: { email: 'alice@example.com' } });
  expect(bare.status).toBe(submitted.status === 202 ? 200 : submitted.status);
  expect((await preview(made, {})).status).toBe(422);
  expect((await preview({ id: made.name })).status).toBe(404);
  expect((await preview({ id: '01890000-0000-7000-8000-00000000ffff' })).status).toBe(404);
});

it('lets an auditor look', async () => {
  const made = await rule();
  const auditor = await house.client('admin:read');
  expect((await auditor.call('POST', `/v1/rules/${made.id}/preview`, { attributes })).status).toBe(200);
});
