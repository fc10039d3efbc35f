import { tokenProviderBody } from '#lib/contracts';
import { expect, it } from '@jest/globals';
import { newProviderValues, providerBodyOf, providerField } from './provider-values.js';

const one = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
const filled = { ...newProviderValues, name: 'Bank', issuer: ' https://id.example ' };
const mistakes = (values: typeof filled) =>
  (tokenProviderBody.safeParse(providerBodyOf(values)).error?.issues ?? []).map(({ path }) =>
    providerField(`/${path.join('/')}`),
  );

it('takes several certificates out of one text', () => {
  const { trustedCertificates } = providerBodyOf({ ...filled, trustedCertificates: `${one}\n\n${one}\n` });
  expect(trustedCertificates).toEqual([one, one]);
});

it('refuses what is no certificate, no JSON object or no address where it stands', () => {
  expect(mistakes(filled)).toEqual([]);
  expect(mistakes({ ...filled, trustedCertificates: `${one}\nand more` })).toEqual(['trustedCertificates']);
  expect(mistakes({ ...filled, source: 'explicit', metadata: '{"issuer":' })).toEqual(['metadata']);
  expect(mistakes({ ...filled, source: 'explicit', metadata: '[]' })).toEqual(['metadata']);
  expect(mistakes({ ...filled, issuer: 'id.example' })).toEqual(['issuer']);
});

it('sends metadata only when it is written by hand', () => {
  expect(providerBodyOf({ ...filled, metadata: '{"issuer":"x"}' }).metadata).toBeNull();
});
