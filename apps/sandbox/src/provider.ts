import { randomBytes, X509Certificate } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type * as OidcProvider from 'oidc-provider';
import type {
  AuthorizationDetail,
  ClientMetadata,
  Configuration,
  Grant,
  KoaContextWithOIDC,
  MTLSCertificateSubjectMatches,
  Provider,
} from 'oidc-provider';
import { findAccountById, findAccountByLoginHint, findAccountBySubjectToken, type Account } from './accounts.js';
import { FAPI_CLIENT_IDS, PING_ORIGIN } from './clients.js';
import type { SandboxIdentity } from './identity.js';
import { loginPath } from './login.http.js';
import type { NewPhoneRequest, PhoneAnswer, PhoneRequest } from './phone.js';
import { createProviderAdapter } from './provider.adapter.js';
import type { RowStore } from './row.store.js';
import type { SandboxLog } from './sandbox-log.js';

export interface ProviderOptions {
  readonly issuer: string;
  readonly mtlsUrl: string;
  readonly assentUrl: string | null;
  readonly defaultExpirySeconds: number;
  readonly identity: SandboxIdentity;
  readonly clients: ClientMetadata[];
  readonly store: RowStore;
  readonly log: SandboxLog;
  /** Puts the question on the person's phone, before the client gets its `auth_req_id`. */
  readonly ring: (asked: NewPhoneRequest) => Promise<void>;
}

type OidcProviderModule = typeof OidcProvider;

const SCOPES = ['openid', 'offline_access', 'profile', 'email', 'payments', 'accounts'];
/** What authorization details are about, and their types. */
const DETAILS_RESOURCE = 'urn:assent:sandbox:bank';
const DETAIL_TYPES = ['payment_initiation', 'account_information'];

const MAX_EXPIRY_SECONDS = 600;
const MAX_BINDING_MESSAGE_CHARACTERS = 250;
const DAY_SECONDS = 86_400;

/** What an approval on the phone page amounts to, when the client asks for nothing else. */
const PHONE_ACR = 'urn:assent:sandbox:phone';
const SUPPORTED_ACRS: readonly string[] = [PHONE_ACR, 'phr', 'phrh', 'urn:openbanking:psd2:sca'];

/** A real oidc-provider with CIBA (poll and ping), mutual TLS and refresh tokens. */
export function createProvider({ Provider, errors }: OidcProviderModule, options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, configure(options, errors));
  const report = (what: string) => (_ctx: KoaContextWithOIDC, error: Error & { error_detail?: string }) =>
    options.log('info', `The provider refused ${what}`, { error: error.message, reason: error.error_detail });
  provider.on('backchannel_authentication.error', report('an authentication request'));
  provider.on('server_error', (_ctx, error) => options.log('error', 'The provider failed', { error: error.stack }));
  // Koa's own event, which the provider's types leave out; without a listener Koa prints to the console.
  const koa: EventEmitter = provider;
  koa.on('error', (error: Error) => options.log('error', 'The provider failed', { error: error.stack }));
  return provider;
}

/** Tells the provider what the person answered; an approval grants every scope that was asked for. */
export async function tellProvider(
  provider: Provider,
  { errors }: OidcProviderModule,
  request: PhoneRequest,
  answer: PhoneAnswer,
): Promise<void> {
  if (answer === 'denied') {
    await provider.backchannelResult(request.authReqId, new errors.AccessDenied());
    return;
  }
  const asked = await provider.BackchannelAuthenticationRequest.find(request.authReqId, { ignoreExpiration: true });
  if (!asked) throw new Error(`The provider does not know the authentication behind phone request ${request.id}`);
  const grant: Grant = new provider.Grant({ clientId: request.clientId, accountId: request.accountId });
  grant.addOIDCScope(request.scope);
  const details = detailsOf(asked.params?.authorization_details);
  if (details !== undefined) grant.addResourceScope(DETAILS_RESOURCE, request.scope);
  await grant.save();
  await provider.backchannelResult(asked, grant, {
    ...(details !== undefined && { rar: details }),
    acr: chooseAcr(asked.params?.acr_values),
    amr: ['hwk', 'user'],
    authTime: Math.floor(Date.now() / 1000),
  });
}

function configure(options: ProviderOptions, errors: OidcProviderModule['errors']): Configuration {
  return {
    adapter: createProviderAdapter(options.store, options.clients),
    jwks: { keys: [...options.identity.signingKeys] as NonNullable<Configuration['jwks']>['keys'] },
    cookies: { keys: [options.identity.cookieKey] },
    findAccount: (_ctx, id) => {
      const account = findAccountById(id);
      return account && { accountId: account.id, claims: () => claimsOf(account) };
    },
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    enabledJWA: {
      clientAuthSigningAlgValues: ['HS256', 'ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'],
      requestObjectSigningAlgValues: ['ES256', 'PS256'],
      idTokenSigningAlgValues: ['ES256', 'EdDSA'],
    },
    scopes: SCOPES,
    acrValues: [...SUPPORTED_ACRS],
    // Bound to the openid scope, so that every ID token says how and when the person was asked.
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      email: ['email'],
      profile: ['name', 'preferred_username', 'roles'],
    },
    interactions: { url: (_ctx, interaction) => `${loginPath}/${interaction.uid}` },
    // Whoever logs in agrees: there is nothing in a sandbox to think about.
    loadExistingGrant: grantWhatIsAsked,
    clockTolerance: 5,
    clientBasedCORS: () => false,
    ttl: {
      BackchannelAuthenticationRequest: (ctx) =>
        Math.min(MAX_EXPIRY_SECONDS, Number(ctx.oidc.params?.requested_expiry || options.defaultExpirySeconds)),
      AccessToken: 3600,
      ClientCredentials: 600,
      IdToken: 3600,
      RefreshToken: 14 * DAY_SECONDS,
      Grant: 14 * DAY_SECONDS,
      Session: DAY_SECONDS,
      Interaction: 3600,
    },
    fetch: outboundFetch(options.assentUrl),
    discovery: {
      mtls_endpoint_aliases: {
        token_endpoint: `${options.mtlsUrl}/token`,
        backchannel_authentication_endpoint: `${options.mtlsUrl}/backchannel`,
        introspection_endpoint: `${options.mtlsUrl}/token/introspection`,
        revocation_endpoint: `${options.mtlsUrl}/token/revocation`,
      },
    },
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      requestObjects: { enabled: true },
      // Details are granted for a resource (RFC 9396), and there is one for all of them; without details there is none.
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, _client, resource) =>
          ctx.oidc.params?.authorization_details === undefined ? [...(resource ?? [])] : DETAILS_RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: SCOPES.join(' '), accessTokenFormat: 'opaque' }),
      },
      richAuthorizationRequests: {
        enabled: true,
        types: Object.fromEntries(DETAIL_TYPES.map((type) => [type, { validate: () => undefined }])),
        authorizationDetailsForGrantSource: () => undefined,
        authorizationDetailsForAccessToken: (_ctx, _token, source) => (source as { rar?: never } | undefined)?.rar,
        authorizationDetailsForIntrospection: (_ctx, token) => (token as { rar?: never }).rar,
      },
      // Every proof has to carry the provider's nonce, so that clients show that they can.
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      fapi: {
        enabled: true,
        profile: (_ctx, client) => (FAPI_CLIENT_IDS.includes(client?.clientId ?? '') ? '1.0 Final' : undefined),
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        tlsClientAuth: true,
        getCertificate: peerCertificate,
        certificateAuthorized: (ctx) => (ctx.socket as Partial<TLSSocket>).authorized === true,
        certificateSubjectMatches,
      },
      ciba: {
        enabled: true,
        deliveryModes: ['poll', 'ping'],
        processLoginHint: (_ctx, loginHint) => findAccountByLoginHint(loginHint ?? '')?.id,
        processLoginHintToken: (_ctx, token) => findAccountBySubjectToken(token ?? '')?.id,
        // No account has a user code, no request context is understood: both are ignored, as the protocol allows.
        verifyUserCode: () => undefined,
        validateRequestContext: () => undefined,
        validateBindingMessage: (_ctx, bindingMessage) => {
          if (!isFit(bindingMessage)) {
            throw new errors.InvalidBindingMessage(
              `the binding message must be printable and at most ${MAX_BINDING_MESSAGE_CHARACTERS} characters long`,
            );
          }
        },
        triggerAuthenticationDevice: (_ctx, request, account, client) =>
          options.ring({
            authReqId: request.jti,
            accountId: account.accountId,
            clientId: client.clientId,
            clientName: client.clientName ?? client.clientId,
            scope: [...request.scopes].join(' '),
            bindingMessage: (request.params?.binding_message as string | undefined) ?? null,
            expiresAt: Math.floor(Date.now() / 1000) + request.expiration,
          }),
      },
    },
  };
}

const claimsOf = ({ id, name, loginHint, roles }: Account) => ({
  sub: id,
  email: loginHint,
  name,
  preferred_username: id,
  roles: [...roles],
});

async function grantWhatIsAsked(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { client, session, provider, params } = ctx.oidc;
  if (!client || !session?.accountId) return undefined;
  const known = session.grantIdFor(client.clientId);
  const grant =
    (known && (await provider.Grant.find(known))) ||
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(typeof params?.scope === 'string' ? params.scope : 'openid');
  await grant.save();
  return grant;
}

/** Characters as people count them, without controls, separators of lines or halves of pairs. */
function isFit(bindingMessage: string | undefined): boolean {
  if (bindingMessage === undefined) return true;
  const characters = [...bindingMessage];
  return characters.length <= MAX_BINDING_MESSAGE_CHARACTERS && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(bindingMessage);
}

/** What the person is asked to agree to in detail; undefined when that is nothing. The provider has checked its form. */
function detailsOf(asked: unknown): AuthorizationDetail[] | undefined {
  if (typeof asked === 'string') return JSON.parse(asked) as AuthorizationDetail[];
  return asked === undefined ? undefined : (asked as AuthorizationDetail[]);
}

function chooseAcr(acrValues: unknown): string {
  const asked = typeof acrValues === 'string' ? acrValues.split(' ') : [];
  return asked.find((acr) => SUPPORTED_ACRS.includes(acr)) ?? PHONE_ACR;
}

/**
 * Calls to Assent (keys, pings). The provider's own dispatcher cuts connections to loopback, where a sandbox lives; and
 * it takes https notification endpoints only, so these are registered under a stand-in origin.
 */
function outboundFetch(assentUrl: string | null): NonNullable<Configuration['fetch']> {
  return (input, init) => {
    const target = new URL(input instanceof Request ? input.url : input);
    const toAssent = target.origin === PING_ORIGIN && assentUrl !== null;
    return fetch(toAssent ? new URL(target.pathname, assentUrl) : target, { ...init, dispatcher: undefined });
  };
}

function peerCertificate(ctx: KoaContextWithOIDC): X509Certificate | undefined {
  const socket = ctx.socket as Partial<TLSSocket>;
  return socket.getPeerX509Certificate?.();
}

const certificateSubjectMatches: MTLSCertificateSubjectMatches = (ctx, property, expected) =>
  property === 'tls_client_auth_san_dns' &&
  peerCertificate(ctx)?.checkHost(expected, { subject: 'never', wildcards: false }) === expected;
