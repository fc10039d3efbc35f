import { apiClientBody, apiClientPatch, type ApiClient } from '#lib/contracts';
import { expect, it } from '@jest/globals';
import { clientChangeOf, clientField, clientValuesOf, newClientValues } from './client-values.js';

const stored: ApiClient = {
  id: '01890000-0000-7000-8000-00000000ffff',
  name: 'Shop',
  scopes: ['requests:write'],
  enabled: true,
  rules: null,
  subjects: [{ endsWith: '@example.com' }],
  requestsPerMinute: 60,
  expiresAt: '2030-03-01T10:11:12.000Z',
  oauthClient: { issuer: 'https://id.example', clientId: 'shop' },
  keyPrefix: 'assent_abc',
  previousKey: null,
  lastUsedAt: null,
  hasCallbackSecret: false,
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};

it('changes nothing of a client that was only looked at', () => {
  const { name, scopes, enabled, rules, subjects, requestsPerMinute, expiresAt, oauthClient } = stored;
  expect(clientChangeOf(clientValuesOf(stored), stored)).toEqual({
    ...{ name, scopes, enabled, rules, subjects, requestsPerMinute, expiresAt, oauthClient },
  });
});

it('lets a key end with the day that was chosen', () => {
  const { expiresAt } = clientChangeOf({ ...clientValuesOf(stored), expiresOn: '2031-05-06' }, stored);
  const end = new Date(expiresAt!);
  expect([end.getFullYear(), end.getMonth(), end.getDate(), end.getHours()]).toEqual([2031, 4, 6, 23]);
});

it('is refused where the mistake is', () => {
  const wrong = { ...newClientValues, scopes: [], subjects: '[{}]', expiresOn: 'soon', oauthClientId: 'x' };
  const { error } = apiClientBody.safeParse(clientChangeOf(wrong, null));
  expect(new Set(error!.issues.map(({ path }) => clientField(`/${path.join('/')}`)))).toEqual(
    new Set(['name', 'scopes', 'subjects', 'expiresOn', 'oauthIssuer']),
  );
});

it('makes a patch that the contract takes', () => {
  expect(apiClientPatch.safeParse(clientChangeOf({ ...newClientValues, name: 'Shop' }, null)).success).toBe(true);
});
