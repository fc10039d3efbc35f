import { describe, expect, it } from '@jest/globals';
import { likelyProfile } from './likely-profile.js';

describe('the profile that an issuer looks like', () => {
  it.each([
    ['https://dev-1.okta.com', 'okta'],
    ['https://dev-1.oktapreview.com/oauth2/default', 'okta'],
    ['https://tenant.eu.auth0.com/', 'auth0'],
    ['https://auth.pingone.eu/0f5c/as', 'pingone'],
    ['https://api.asgardeo.io/t/acme/oauth2/token', 'wso2'],
    ['https://localhost:9443/oauth2/token', 'wso2'],
    ['https://sso.example/realms/acme', 'keycloak'],
    ['https://sso.example/auth/realms/acme', 'keycloak'],
    ['https://login.example/oauth/v2/oauth-anonymous', 'curity'],
    ['http://127.0.0.1:3001/as/okta', 'okta'],
    ['http://127.0.0.1:3001/as/auth0/', 'auth0'],
    ['https://op.example', null],
    ['https://okta.com.example', null],
    ['https://notokta.com', null],
    ['https://op.example/realms/acme/more', null],
    ['https://op.example/generic', null],
    ['https://op.example/constructor', null],
    ['no address', null],
  ])('%s: %s', (issuer, expected) => {
    expect(likelyProfile(issuer, null)).toBe(expected);
  });

  it('is told by an address that PingFederate alone has', () => {
    const at = (address: unknown) =>
      likelyProfile('https://sso.example', { backchannel_authentication_endpoint: address });
    expect(at('https://sso.example/as/bc-auth.ciba')).toBe('pingfederate');
    expect([at('https://sso.example/backchannel'), at(undefined), at(7)]).toEqual([null, null, null]);
  });
});
