import type { Connections } from './connections.js';
import { prepareAuthentication } from './client-authentication.js';
import { DpopProver, type Send } from './dpop.js';
import { exchange, type Exchange, type Target } from './exchange.js';
import { requireFapi } from './fapi.js';
import { encodeForm, type FormMembers } from './form.js';
import type { ProviderDirectory } from './provider-directory.js';
import type { ProviderMetadata } from './provider-metadata.js';
import { RecentMap } from './recent-map.js';
import type { ClientRegistration } from './registration.js';
import { prepareRequestSigning } from './request-object.js';
import { startForm, type StartMembers } from './start-members.js';
import type { ComposedCall } from './start-preview.js';
import { mutualTls, providerTls } from './tls-material.js';

const rememberedRegistrations = 1_000;
const constantHeaders = [
  ['content-type', 'application/x-www-form-urlencoded'],
  ['accept', 'application/json'],
  ['accept-encoding', 'identity'],
].flat();

/** Posts members to one endpoint as one client. @throws ProviderMisconfigured when the call cannot be signed. */
export type Post<Members = FormMembers> = (
  members: Members,
  timeoutMs: number,
  interactionId?: string | null,
) => Promise<Exchange>;

/** A registration with everything done that need not be done again for each call. */
export interface PreparedRegistration {
  readonly metadata: ProviderMetadata;
  readonly postStart: Post<StartMembers>;
  /** The same call, not made. */
  readonly composeStart: (members: StartMembers, interactionId: string | null) => Promise<ComposedCall>;
  readonly postPoll: Post;
  /** Null when the provider offers no revocation (RFC 7009). */
  readonly postRevocation: Post | null;
}

/** What preparing needs. */
export interface PreparationOptions {
  readonly directory: ProviderDirectory;
  readonly connections: Connections;
  readonly now: () => Date;
}

/** Prepares registrations, and again when what is known of their provider has changed. */
export class PreparedRegistrations {
  private readonly prepared = new RecentMap<string, PreparedRegistration>(rememberedRegistrations);

  constructor(private readonly options: PreparationOptions) {}

  /** @throws ProviderUnavailable | ProviderMisconfigured */
  async find(registration: ClientRegistration): Promise<PreparedRegistration> {
    const found = this.options.directory.find(registration.provider);
    const metadata = found instanceof Promise ? await found : found;
    const known = this.prepared.get(registration.key);
    if (known?.metadata === metadata) return known;
    const prepared = this.prepare(registration, metadata);
    this.prepared.set(registration.key, prepared);
    return prepared;
  }

  private prepare(registration: ClientRegistration, metadata: ProviderMetadata): PreparedRegistration {
    const { connections, now } = this.options;
    const { provider, credentials } = registration;
    requireFapi(registration, metadata);
    const authentication = prepareAuthentication(registration, metadata, now);
    const withCertificate = credentials.type === 'mutual-tls';
    const tls = withCertificate ? mutualTls(provider, credentials) : providerTls(provider);
    // The provider's settings say whom a client with a certificate trusts as well.
    const identity = withCertificate ? `${provider.id} ${registration.key}` : provider.id;
    const endpoints = withCertificate ? metadata.mutualTlsEndpoints : metadata.endpoints;
    const headers = [...constantHeaders, ...authentication.headers];

    const token = connections.target(endpoints.token, identity, tls);
    const composing = (target: Target, constantMembers: FormMembers) => {
      const constantForm = joinForms(authentication.form, encodeForm(constantMembers));
      return async (members: FormMembers, interactionId: string | null, proof: readonly string[] = []) => {
        // By this id the provider finds the call in its log (FAPI 1.0 Baseline §6.2.1).
        const interaction = interactionId === null ? [] : ['x-fapi-interaction-id', interactionId];
        const fresh = authentication.fresh === null ? '' : encodeForm(await authentication.fresh(target.url));
        const body = joinForms(constantForm, encodeForm(members), fresh);
        return { url: target.url, headers: [...headers, ...interaction, ...proof], body };
      };
    };
    const post = (target: Target, constantMembers: FormMembers): Post => {
      const compose = composing(target, constantMembers);
      const prover = registration.dpop && target === token ? new DpopProver(target.url, now) : null;
      return (members, timeoutMs, interactionId = null) => {
        const send: Send = async (proof, ms) => {
          const { headers, body } = await compose(members, interactionId, proof);
          return exchange({ target, headers, body, timeoutMs: ms });
        };
        return prover === null ? send([], timeoutMs) : prover.send(send, timeoutMs);
      };
    };
    const backchannel = connections.target(endpoints.backchannel, identity, tls);
    const [postStartForm, composeStartForm] = [post(backchannel, {}), composing(backchannel, {})];
    const sign = prepareRequestSigning(registration, metadata, {
      url: endpoints.backchannel,
      authenticationForm: authentication.form,
      now,
    });
    const formOf = async (members: StartMembers) => (sign === null ? startForm(members) : sign(members));
    return {
      metadata,
      postStart: async (members, timeoutMs, interactionId) =>
        postStartForm(await formOf(members), timeoutMs, interactionId),
      composeStart: async (members, interactionId) => composeStartForm(await formOf(members), interactionId),
      postPoll: post(token, {
        grant_type: 'urn:openid:params:grant-type:ciba',
      }),
      postRevocation:
        endpoints.revocation === null ? null : post(connections.target(endpoints.revocation, identity, tls), {}),
    };
  }
}

function joinForms(...forms: readonly string[]): string {
  return forms.filter((form) => form !== '').join('&');
}
