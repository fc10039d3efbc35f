import { expect, it } from '@jest/globals';
import { configurationFile, readConfiguration } from './configuration-text.js';

const exported = {
  version: 1 as const,
  rules: [{ name: 'Pay: "now"', clientCredentials: { type: 'secret', clientSecret: '${env:PAY_SECRET}' } }],
};

it('writes what it reads, and says what has to be there', () => {
  const file = configurationFile(exported, 'https://assent.example');
  expect(file).toMatch(/^# yaml-language-server: \$schema=https:\/\/assent\.example\/configuration\.schema\.json\n/);
  expect(file).toContain('#   env PAY_SECRET\n');
  expect(readConfiguration(file)).toEqual({ document: exported });
  expect(readConfiguration(JSON.stringify(exported))).toEqual({ document: exported });
});

it.each([
  ['', /^A configuration begins/],
  ['[]', /^A configuration begins/],
  ['just words', /^A configuration begins/],
  ['rules: [', /^This is neither YAML nor JSON: .* at line 1/],
  ['rules: []\nrules: []', /^This is neither YAML nor JSON: .*unique/],
])('says of %j why it is no configuration', (text, why) => {
  expect(readConfiguration(text)).toEqual({ mistake: expect.stringMatching(why) });
});
