import { expect, it } from '@jest/globals';
import { secretMark, shownCall } from './start-preview.js';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${encode({ alg: 'ES256' })}.${encode({ login_hint: 'älice' })}.c2lnbmF0dXJl`;

it('shows everything that is sent, and nothing that could be used', () => {
  const body = new URLSearchParams({ scope: 'openid pay', client_secret: 'hush', client_assertion: jwt, request: jwt });
  const call = shownCall({
    url: 'https://op.example/backchannel',
    headers: ['accept', 'application/json', 'authorization', 'Basic aHVzaDpodXNo'],
    body: body.toString(),
  });
  const said = { header: { alg: 'ES256' }, claims: { login_hint: 'älice' } };
  expect(call).toEqual({
    method: 'POST',
    url: 'https://op.example/backchannel',
    headers: { accept: 'application/json', authorization: `Basic ${secretMark}` },
    form: {
      scope: 'openid pay',
      client_secret: secretMark,
      client_assertion: expect.stringMatching(/^[\w-]+\.[\w-]+\.\(signature\)$/) as unknown,
      request: expect.stringMatching(/\.\(signature\)$/) as unknown,
    },
    signed: { client_assertion: said, request: said },
  });
  expect(JSON.stringify(call)).not.toMatch(/hush|aHVzaDpodXNo|c2lnbmF0dXJl/);
});
