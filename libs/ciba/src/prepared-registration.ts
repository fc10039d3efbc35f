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

  /**
   * Finds what is prepared; without a promise when the provider is known.
   *
   * @throws ProviderUnavailable | ProviderMisconfigured (or rejects with them).
   */
  find(registration: ClientRegistration): PreparedRegistration | Promise<PreparedRegistration> {
    const found = this.options.directory.find(registration.provider);
    if (found instanceof Promise) return found.then((metadata) => this.preparedFor(registration, metadata));
    return this.preparedFor(registration, found);
  }

  private preparedFor(registration: ClientRegistration, metadata: ProviderMetadata): PreparedRegistration {
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
      const { fresh } = authentication;
      const composed = (members: FormMembers, interactionId: string | null, proof: readonly string[], form: string) => {
        const body = joinForms(constantForm, encodeForm(members), form);
        return { url: target.url, headers: withCallHeaders(headers, interactionId, proof), body };
      };
      // Without a promise unless something is signed for each call.
      return (members: FormMembers, interactionId: string | null, proof: readonly string[] = []) =>
        fresh === null
          ? composed(members, interactionId, proof, '')
          : fresh(target.url).then((more) => composed(members, interactionId, proof, encodeForm(more)));
    };
    const post = (target: Target, constantMembers: FormMembers): Post => {
      const compose = composing(target, constantMembers);
      const prover = registration.dpop && target === token ? new DpopProver(target.url, now) : null;
      return (members, timeoutMs, interactionId = null) => {
        const send: Send = (proof, timeoutMs) => {
          const call = compose(members, interactionId, proof);
          return call instanceof Promise
            ? call.then(({ headers, body }) => exchange({ target, headers, body, timeoutMs }))
            : exchange({ target, headers: call.headers, body: call.body, timeoutMs });
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

/** The same headers for every call, unless it has some of its own. */
function withCallHeaders(
  headers: readonly string[],
  interactionId: string | null,
  proof: readonly string[],
): readonly string[] {
  if (interactionId === null && proof.length === 0) return headers;
  // By this id the provider finds the call in its log (FAPI 1.0 Baseline §6.2.1).
  const interaction = interactionId === null ? [] : ['x-fapi-interaction-id', interactionId];
  return [...headers, ...interaction, ...proof];
}

function joinForms(...forms: readonly string[]): string {
  let joined = '';
  for (const form of forms) {
    if (form !== '') joined += joined === '' ? form : `&${form}`;
  }
  return joined;
}
