import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { configurationJsonSchema } from './configuration-schema.js';
import { configuration } from './configuration.js';
import { configurationExample, exportedConfigurationExample } from './examples.js';

const check = new Ajv2020({ strict: false, validateFormats: false }).compile(configurationJsonSchema());
const provider = { name: 'Bank', issuer: 'https://op.example' };
const rule = configurationExample.rules[0]!;

describe('the schema of a configuration file', () => {
  it.each([
    ['an example', configurationExample],
    ['an export', exportedConfigurationExample],
    ['nothing', {}],
    ['references in the place of texts', { tokenProviders: [{ ...provider, issuer: 'https://${env:HOST}/' }] }],
    ['a file in base64', { keyPairs: [{ alias: 'Key', pkcs12: '${base64:client.p12}', password: '${env:P12}' }] }],
  ])('takes %s', (_, value) => {
    check(value);
    expect(check.errors).toBeNull();
  });

  it.each([
    ['an unknown section', { sections: [] }],
    ['an unknown member', { tokenProviders: [{ ...provider, url: 'x' }] }],
    ['a member of another kind', { rules: [{ ...rule, enabled: 'yes' }] }],
    ['a rule without a provider', { rules: [{ ...rule, tokenProvider: undefined }] }],
    ['an unknown profile', { tokenProviders: [{ ...provider, profile: 'other' }] }],
    ['another version', { version: 2 }],
  ])('refuses %s, as the service does', (_, value) => {
    const sent: unknown = JSON.parse(JSON.stringify(value));
    expect(check(sent)).toBe(false);
    expect(configuration.safeParse(sent).success).toBe(false);
  });
});
