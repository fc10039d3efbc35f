const profileNames: Readonly<Record<string, string>> = {
  generic: 'Generic OpenID Provider',
  pingfederate: 'PingFederate',
  pingone: 'PingOne',
  keycloak: 'Keycloak',
  auth0: 'Auth0',
  okta: 'Okta',
  duende: 'Duende IdentityServer',
  wso2: 'WSO2 Identity Server',
  curity: 'Curity',
  camara: 'CAMARA (mobile operators)',
  'oidc-provider': 'oidc-provider',
};

/** What the providers of a profile are called. */
export const profileName = (profile: string): string => profileNames[profile] ?? profile;
