import * as openid from 'openid-client';

/** One grant request of openid-client; true while the person has not answered. */
export function grantRequest(issuer) {
  const server = { issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
  const client = new openid.Configuration(server, 'bench-client', undefined, openid.ClientSecretBasic('a secret'));
  openid.allowInsecureRequests(client);
  return async (authReqId) => {
    try {
      await openid.genericGrantRequest(client, 'urn:openid:params:grant-type:ciba', { auth_req_id: authReqId });
      return false;
    } catch (error) {
      if (error instanceof openid.ResponseBodyError) return error.error === 'authorization_pending';
      throw error;
    }
  };
}
