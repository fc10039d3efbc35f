import { configuredKinds } from '#lib/domain';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { configuration } from '../configuration.js';
import { pingAccessImportItem } from './import.http.js';
import { mapPingAccess, relevantSections } from './map-pingaccess.js';
import type { MappingContext } from './mapping-context.js';
import { recogniseRule } from './recognise-rule.js';

const context = (over: Partial<MappingContext> = {}): MappingContext => ({
  inputs: {},
  ruleClass: null,
  exists: () => false,
  ...over,
});
const templateHandler = 'com.pingidentity.pa.policy.rejectionhandler.errortemplate.ErrorTemplateRejectionHandlerPlugin';
const obfuscated = { encryptedValue: 'OBF:JWE:eyJjYW5hcnk' };

/** An export as such a system would write it; ids come as numbers and as texts. */
const anExport = (over: object = {}) => ({
  version: '8.0.1.0',
  encryptionKey: { kty: 'oct', k: 'canary-key' },
  data: {
    tokenProvider: { type: 'PingFederate', useThirdParty: false },
    pingFederateRuntime: { issuer: 'https://login.example.com', trustedCertificateGroupId: 2 },
    trustedCertGroups: [{ id: 2, certIds: [9] }],
    trustedCerts: [{ id: 9, alias: 'CA', fileData: 'TUlJQg==' }],
    rejectionHandlers: [
      {
        id: 1,
        name: 'Default Web Rejection Handler',
        className: templateHandler,
        configuration: { responseCode: '403' },
      },
      {
        id: 7,
        name: 'Shop says no',
        className: templateHandler,
        configuration: { responseCode: '451', templateFile: 'shop.html', contentType: 'HTML' },
      },
      {
        id: '8',
        name: 'Back',
        className: 'x.RedirectRejectionHandlerPlugin',
        configuration: { url: '/basket', encodeUrl: true },
      },
      { id: 9, name: 'Groovy', className: 'x.Other', configuration: {} },
    ],
    keyPairs: [
      { id: 3, alias: 'client', fileData: 'TUlJ', password: obfuscated },
      { id: 4, alias: 'listener', fileData: 'TUlJ', password: obfuscated },
    ],
    rules: [
      {
        id: 17,
        name: 'Pay',
        className: 'com.pingidentity.pa.policy.OneTimeAuthorization',
        configuration: {
          oauthClientCredentials: { clientId: 'shop', clientSecret: obfuscated, credentialsType: 'SECRET' },
          loginHintRequestAttribute: 'email',
          scopes: ['openid', 'payments'],
          requestedExpiry: '90',
          timeoutRejectionHandler: '1',
          denyRejectionHandler: '7',
        },
      },
      {
        id: '18',
        name: 'Transfer',
        className: 'x.Unknown',
        configuration: {
          clientId: 'bank',
          keyPairId: 3,
          credentialsType: 'CERTIFICATE',
          login_hint: { attributeName: 'user' },
          scope: 'a b',
          rejectionHandlerForDenied: '8',
        },
      },
      { id: 19, name: 'Header check', className: 'x.HttpRequestHeaderRule', configuration: { header: 'X' } },
    ],
    applications: [{}, {}],
    engines: [],
    httpsListeners: [{ name: 'ADMIN' }],
    ...over,
  },
});
const outcomes = (exported: unknown, over: Partial<MappingContext> = {}) =>
  Object.fromEntries(
    mapPingAccess(exported, context(over)).items.map(({ kind, name, outcome }) => [`${kind} ${name}`, outcome]),
  );
const inputs = { 'rules/17/clientSecret': 'given-secret', 'keyPairs/3/password': 'given-password' };

describe('an export of PingAccess', () => {
  it('is mapped as far as it tells, and says what it does not tell', () => {
    const { items, configuration: made, ignored } = mapPingAccess(anExport(), context());
    expect(outcomes(anExport())).toEqual({
      'token-provider PingFederate': 'create',
      'key-pair client': 'needs-input',
      'key-pair listener': 'skip',
      'rejection-handler Default Web Rejection Handler': 'exists',
      'rejection-handler Shop says no': 'create',
      'rejection-handler Back': 'create',
      'rejection-handler Groovy': 'skip',
      'rule Pay': 'needs-input',
      'rule Transfer': 'needs-input',
    });
    expect(items.flatMap(({ needs }) => needs.map(({ key }) => key))).toEqual(Object.keys(inputs).reverse());
    expect(made).toMatchObject({
      tokenProviders: [{ name: 'PingFederate', issuer: 'https://login.example.com', profile: 'pingfederate' }],
      keyPairs: [],
      rules: [],
    });
    expect(made.tokenProviders![0]!.trustedCertificates).toEqual([
      '-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n',
    ]);
    expect(ignored).toEqual([
      { section: 'rules of other kinds', objects: 1 },
      { section: 'applications', objects: 2 },
      { section: 'httpsListeners', objects: 1 },
    ]);
    expect(JSON.stringify(items)).not.toMatch(/OBF|canary/);
  });

  it('with what was missing becomes rules with everything that they refer to', () => {
    const { items, configuration: made, sources } = mapPingAccess(anExport(), context({ inputs }));
    expect(items.filter(({ outcome }) => outcome === 'needs-input')).toEqual([]);
    expect(made.keyPairs).toEqual([{ alias: 'client', pkcs12: 'TUlJ', password: 'given-password' }]);
    expect(made.rejectionHandlers).toMatchObject([
      { name: 'Shop says no', type: 'error-template', status: 451, contentType: 'text/html; charset=utf-8' },
      { name: 'Back', type: 'redirect', status: 302, url: '/basket' },
    ]);
    expect(made.rules).toEqual([
      {
        name: 'Pay',
        tokenProvider: 'PingFederate',
        clientId: 'shop',
        clientCredentials: { type: 'secret', clientSecret: 'given-secret' },
        loginHintAttribute: 'email',
        scopes: ['payments'],
        requestedExpirySeconds: 90,
        timeoutRejectionHandler: 'Default Web Rejection Handler',
        denyRejectionHandler: 'Shop says no',
      },
      {
        name: 'Transfer',
        tokenProvider: 'PingFederate',
        clientId: 'bank',
        clientCredentials: { type: 'mutual-tls', keyPair: 'client' },
        loginHintAttribute: 'user',
        scopes: ['a', 'b'],
        requestedExpirySeconds: null,
        timeoutRejectionHandler: null,
        denyRejectionHandler: 'Back',
      },
    ]);
    expect(sources.rules).toEqual(['/data/rules/0', '/data/rules/1']);
    expect(JSON.stringify(items)).not.toMatch(/given-|canary/);
  });

  it('leaves alone what is there, and what refers to it', () => {
    const there = (kind: string, name: string) => ['key-pair client', 'rule Pay'].includes(`${kind} ${name}`);
    const { configuration: made } = mapPingAccess(anExport(), context({ exists: there }));
    expect(made.keyPairs).toEqual([]);
    expect(made.rules!.map(({ name }) => name)).toEqual(['Transfer']);
    expect(outcomes(anExport(), { exists: there })['rule Pay']).toBe('exists');
  });

  it('holds a rule back whose parts are missing or not complete', () => {
    const why = (over: object) => {
      const { items } = mapPingAccess(anExport(over), context({ inputs }));
      return items
        .filter(({ outcome }) => outcome === 'needs-input')
        .map(({ name, notes, needs }) => [name, ...notes, ...needs.map(({ key }) => key)].join(' '));
    };
    expect(why({ rejectionHandlers: [] })).toEqual([
      'Pay rules/17/timeoutRejectionHandler rules/17/denyRejectionHandler',
      'Transfer rules/18/denyRejectionHandler',
    ]);
    expect(why({ keyPairs: [] })).toEqual(['Transfer rules/18/keyPair']);
    expect(why({ pingFederateRuntime: {} })[0]).toBe('PingFederate tokenProvider/issuer');
    const [first] = anExport().data.rules;
    expect(why({ rules: [first, { ...first, id: 20 }] })).toEqual([
      'Pay Another object of the export has this name. rules/20/clientSecret',
    ]);
    expect(
      why({ rules: [{ ...first, configuration: { ...first!.configuration, loginHintRequestAttribute: 'a b' } }] }),
    ).toEqual(['Pay loginHintAttribute: Use letters, digits, underscore, dot and hyphen.']);
  });

  it('knows rules by their class when it is told', () => {
    const rule = { className: 'com.example.Approval', name: 'X', configuration: {} };
    expect(recogniseRule(rule, null)).toBeNull();
    expect(recogniseRule(rule, 'Approval')).toMatchObject({ name: 'X', client: null });
    expect(recogniseRule(rule, 'com.example.Approval')).not.toBeNull();
    expect(recogniseRule(rule, 'al')).toBeNull();
  });

  it('names the token provider after its kind', () => {
    const provider = (over: object) =>
      mapPingAccess(anExport({ pingFederateRuntime: {}, ...over }), context({ inputs })).configuration.tokenProviders;
    const issuer = 'https://auth.pingone.example/as';
    expect(provider({ tokenProvider: { type: 'PingOneForCustomers' }, pingOneForCustomers: { issuer } })).toMatchObject(
      [{ name: 'PingOne', issuer, profile: 'pingone' }],
    );
    expect(provider({ tokenProvider: { type: 'Common' }, oidcProvider: { issuer } })).toMatchObject([
      { name: 'Token provider', issuer, profile: 'generic' },
    ]);
  });

  it('may be anything at all: what comes out is sound, refers to nothing that is not there, and tells no secret', () => {
    const secret = fc.constantFrom<unknown>(obfuscated, { value: 'canary-plain' }, 'canary-text', null, 7);
    const junk = fc.oneof(
      fc.anything({ maxDepth: 2 }),
      fc.constantFrom<unknown>('1', 3, 17, 'email', 'https://x.example', [], {}),
    );
    const object = (members: Record<string, fc.Arbitrary<unknown>>) => fc.record(members, { requiredKeys: [] });
    const credentials = object({
      clientId: junk,
      clientSecret: secret,
      keyPairId: junk,
      credentialsType: fc.constantFrom('SECRET', 'CERTIFICATE', 'PRIVATE_KEY_JWT', 'OTHER', null),
    });
    const rule = object({
      id: junk,
      name: junk,
      className: junk,
      configuration: object({
        credentials: fc.oneof(credentials, junk),
        loginHintAttribute: junk,
        scopes: junk,
        requestedExpiry: junk,
        timeoutRejectionHandler: junk,
        denyRejectionHandler: junk,
      }),
    });
    const handler = object({
      id: junk,
      name: junk,
      className: fc.constantFrom('Redirect', 'ErrorTemplate', 'x'),
      configuration: junk,
    });
    const keyPair = object({ id: junk, alias: junk, fileData: junk, password: secret, hsmProviderId: junk });
    const list = (entry: fc.Arbitrary<unknown>) => fc.oneof(fc.array(fc.oneof(entry, junk), { maxLength: 4 }), junk);
    const exported = object({
      data: object({
        tokenProvider: junk,
        pingFederateRuntime: fc.oneof(object({ issuer: junk, name: junk, trustedCertificateGroupId: junk }), junk),
        trustedCerts: list(junk),
        rules: list(rule),
        rejectionHandlers: list(handler),
        keyPairs: list(keyPair),
        other: junk,
      }),
    });
    fc.assert(
      fc.property(fc.oneof(exported, fc.anything()), fc.boolean(), (value, given) => {
        const mapping = mapPingAccess(value, context(given ? { inputs } : {}));
        for (const item of mapping.items) expect(pingAccessImportItem.safeParse(item).error?.issues).toBeUndefined();
        const sound = configuration.safeParse(mapping.configuration);
        expect(sound.error?.issues).toBeUndefined();
        const names = new Set(
          mapping.items.filter(({ outcome }) => outcome !== 'needs-input').map(({ kind, name }) => `${kind} ${name}`),
        );
        for (const made of sound.data!.rules ?? []) {
          expect(names).toContain(`token-provider ${made.tokenProvider}`);
          if (made.clientCredentials.type === 'mutual-tls') {
            expect(names).toContain(`key-pair ${made.clientCredentials.keyPair}`);
          }
          for (const name of [made.denyRejectionHandler, made.timeoutRejectionHandler]) {
            if (name !== null) expect(names).toContain(`rejection-handler ${name}`);
          }
        }
        expect(JSON.stringify(mapping.items)).not.toMatch(/canary-|OBF:|given-/);
        expect(mapPingAccess({ data: relevantSections(value).data }, context()).items.length).toBe(
          mapping.items.length,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('is spoken of in the kinds that there are', () => {
    for (const { kind } of mapPingAccess(anExport(), context()).items) expect(configuredKinds).toContain(kind);
  });
});
