import type { CibaLog } from './ciba-log.js';
import { Connections, openConnector, type ConnectorFactory } from './connections.js';
import { EvidenceVerifier } from './evidence-verifier.js';
import type { Exchange } from './exchange.js';
import type {
  EvidenceExpectation,
  PollOutcome,
  RevocationOutcome,
  StartOutcome,
  StartRequest,
  TokenAnswer,
  Verification,
} from './outcomes.js';
import { PreparedRegistrations } from './prepared-registration.js';
import { ProviderDirectory } from './provider-directory.js';
import { ProviderMisconfigured, ProviderUnavailable } from './provider-faults.js';
import type { ProviderDiscovery, ProviderMetadata } from './provider-metadata.js';
import { providerProfiles, type ProviderProfile } from './provider-profiles.js';
import type { ClientRegistration, ProviderSettings } from './registration.js';
import { SigningKeys } from './signing-keys.js';
import { readStartAnswer } from './start-answer.js';
import { startMembers } from './start-members.js';
import { shownCall, type StartPreview } from './start-preview.js';
import { readTokenAnswer } from './token-answer.js';

/** Settings of a CIBA client. */
export interface CibaClientOptions {
  /** Opens every connection; the place for an outbound guard. */
  readonly connect?: ConnectorFactory;
  /** Whether plain http is good enough; for development only. */
  readonly allowInsecureHttp: boolean;
  /** For a start call, a discovery and a fetch of keys, each as a whole; 15 s when left out. */
  readonly timeoutMs?: number;
  /** For the revocation of one token as a whole; 5 s when left out. */
  readonly revocationTimeoutMs?: number;
  /** For a poll as a whole; 35 s when left out, since a provider may hold a poll for 30 s (CIBA Core 1.0 §10.1). */
  readonly pollTimeoutMs?: number;
  readonly log?: CibaLog;
  readonly now?: () => Date;
}

/**
 * A CIBA client for any number of providers: one careful call at a time, and an answer for everything that can happen.
 *
 * It holds connections, metadata and keys, and nothing about any request: who polls when is the caller's business.
 */
export class CibaClient {
  private readonly timeoutMs: number;
  private readonly pollTimeoutMs: number;
  private readonly revocationTimeoutMs: number;
  private readonly now: () => Date;
  private readonly connections: Connections;
  private readonly directory: ProviderDirectory;
  private readonly registrations: PreparedRegistrations;
  private readonly verifier: EvidenceVerifier;

  constructor(options: CibaClientOptions) {
    const { allowInsecureHttp, connect = openConnector, timeoutMs = 15_000, pollTimeoutMs = 35_000 } = options;
    this.revocationTimeoutMs = options.revocationTimeoutMs ?? 5_000;
    const nowMs = () => performance.now();
    const log = options.log ?? (() => undefined);
    const now = options.now ?? (() => new Date());
    const connections = new Connections(connect);
    const directory = new ProviderDirectory({ connections, allowInsecureHttp, timeoutMs, nowMs, log });
    this.timeoutMs = timeoutMs;
    this.pollTimeoutMs = pollTimeoutMs;
    this.now = now;
    this.connections = connections;
    this.directory = directory;
    this.registrations = new PreparedRegistrations({ directory, connections, now });
    this.verifier = new EvidenceVerifier({ directory, connections, keys: new SigningKeys(nowMs, log), timeoutMs });
  }

  /**
   * Finds out what a provider says about itself, at most ten minutes ago.
   *
   * @throws ProviderUnavailable | ProviderMisconfigured
   */
  async discover(provider: ProviderSettings): Promise<ProviderDiscovery> {
    const { issuer, metadata } = await this.directory.find(provider);
    return { issuer, metadata };
  }

  /** Asks the provider to ask the person (CIBA Core 1.0 §7.1): one request at most, and never rejects for what the provider does. */
  async start(registration: ClientRegistration, request: StartRequest): Promise<StartOutcome> {
    try {
      const { postStart, members, profile } = await this.prepareStart(registration, request);
      return this.readStart(await postStart(members, this.timeoutMs, request.interactionId), profile);
    } catch (error) {
      const detail = faultDetail(error);
      return error instanceof ProviderUnavailable
        ? { kind: 'not-accepted', retryAfterSeconds: null, detail }
        : { kind: 'misconfigured', detail };
    }
  }

  /** Composes the call that `start` would make, and makes none: nobody is asked. Never rejects for what the provider does. */
  async preview(registration: ClientRegistration, request: StartRequest): Promise<StartPreview> {
    try {
      const { composeStart, members } = await this.prepareStart(registration, request);
      return { kind: 'composed', call: shownCall(await composeStart(members, request.interactionId ?? null)) };
    } catch (error) {
      const detail = faultDetail(error);
      return { kind: error instanceof ProviderUnavailable ? 'unavailable' : 'misconfigured', detail };
    }
  }

  /**
   * Asks once how it stands (CIBA Core 1.0 §10.1); never rejects for what the provider does.
   *
   * @param scope as it was requested, for providers that want to hear it again.
   * @param interactionId sent as `x-fapi-interaction-id` when there is one.
   */
  async poll(
    registration: ClientRegistration,
    authReqId: string,
    scope: string | null = null,
    interactionId: string | null = null,
  ): Promise<PollOutcome> {
    try {
      const found = this.registrations.find(registration);
      const { postPoll } = found instanceof Promise ? await found : found;
      const profile = providerProfiles[registration.provider.profile];
      const members = { auth_req_id: authReqId, scope: profile.repeatsScope ? scope : null };
      return this.readPoll(await postPoll(members, this.pollTimeoutMs, interactionId), profile);
    } catch (error) {
      return { kind: 'not-sent', detail: faultDetail(error) };
    }
  }

  /**
   * Tells the provider that nobody needs these tokens (RFC 7009 §2.1), where it can be told: the refresh token if there
   * is one, and the access token. One attempt for each; never rejects.
   *
   * @param interactionId sent as `x-fapi-interaction-id` when there is one.
   */
  async revoke(
    registration: ClientRegistration,
    { refreshToken, accessToken }: TokenAnswer,
    interactionId: string | null = null,
  ): Promise<RevocationOutcome> {
    try {
      const { postRevocation } = await this.registrations.find(registration);
      if (postRevocation === null) return 'not-offered';
      const forms = [
        { token: refreshToken, token_type_hint: 'refresh_token' },
        { token: accessToken, token_type_hint: 'access_token' },
      ].filter(({ token }) => token !== null);
      const results = await Promise.all(
        forms.map((form) => postRevocation(form, this.revocationTimeoutMs, interactionId)),
      );
      return results.every(isRevoked) ? 'revoked' : 'failed';
    } catch {
      // Whatever it was, the decision stands without it.
      return 'failed';
    }
  }

  /** Decides whether a token answer proves the approval; may be called again with the same answer. Never rejects. */
  verify(
    registration: ClientRegistration,
    answer: TokenAnswer,
    expectation: EvidenceExpectation,
    now: Date,
  ): Promise<Verification> {
    return this.verifier.verify(registration, answer, expectation, now);
  }

  /** Lets calls under way end, then closes every connection. */
  close(): Promise<void> {
    return this.connections.close();
  }

  /** @throws ProviderUnavailable | ProviderMisconfigured when nobody could be asked, or should be */
  private async prepareStart(registration: ClientRegistration, request: StartRequest) {
    const prepared = await this.registrations.find(registration);
    const profile = providerProfiles[registration.provider.profile];
    requireDelivery(prepared.metadata, request, profile);
    requireMethod(registration, profile);
    requireParameters(prepared.metadata, request, profile);
    return { ...prepared, profile, members: startMembers(request, profile) };
  }

  private readStart(result: Exchange, { startErrors }: ProviderProfile): StartOutcome {
    switch (result.kind) {
      case 'answered':
        return readStartAnswer(result.answer, this.now(), startErrors);
      case 'not-sent':
        return { kind: 'not-accepted', retryAfterSeconds: null, detail: result.detail };
      case 'lost':
        return { kind: 'unknown', detail: result.detail };
    }
  }

  private readPoll(result: Exchange, { deniesWhenExpired }: ProviderProfile): PollOutcome {
    const outcome = result.kind === 'answered' ? readTokenAnswer(result.answer, this.now()) : result;
    return outcome.kind === 'denied' && deniesWhenExpired ? { ...outcome, orExpired: true } : outcome;
  }
}

/** Nothing but the status counts (RFC 7009 §2.2). */
function isRevoked(result: Exchange): boolean {
  return result.kind === 'answered' && result.answer.status === 200;
}

/** Better no prompt than one whose answer could never be fetched. */
function requireDelivery(metadata: ProviderMetadata, request: StartRequest, profile: ProviderProfile): void {
  const deliveryModes: readonly string[] | null = metadata.deliveryModes ?? profile.deliveryModes;
  if (deliveryModes === null) return;
  const wanted = request.deliveryMode ?? (request.clientNotificationToken === null ? 'poll' : 'ping');
  if (!deliveryModes.includes(wanted)) {
    throw new ProviderMisconfigured(`backchannel_token_delivery_modes_supported does not contain ${wanted}`);
  }
}

/** What the provider does not take could get anybody asked, or nobody; the person is asked for what the rule says or not at all. */
function requireParameters({ metadata }: ProviderMetadata, request: StartRequest, profile: ProviderProfile): void {
  const kind = request.hintKind ?? 'login_hint';
  if (!profile.hint.kinds.includes(kind)) throw new ProviderMisconfigured(`the provider takes no ${kind}`);
  const unlisted = Object.keys(request.extraParameters ?? {}).find((name) => !profile.extraParameters.includes(name));
  if (unlisted !== undefined) throw new ProviderMisconfigured(`the provider takes no parameter ${unlisted}`);
  if (request.userCode !== null && metadata['backchannel_user_code_parameter_supported'] !== true) {
    throw new ProviderMisconfigured('the provider takes no user code');
  }
}

/** Better said at once than as an invalid_client that nobody understands. */
function requireMethod({ credentials }: ClientRegistration, { mutualTls }: ProviderProfile): void {
  if (credentials.type === 'mutual-tls' && !mutualTls) {
    throw new ProviderMisconfigured('the provider knows no client authentication by certificate');
  }
}

/** Faults of the provider or the configuration become outcomes; anything else is a mistake of ours and goes on. */
function faultDetail(error: unknown): string {
  if (error instanceof ProviderUnavailable || error instanceof ProviderMisconfigured) return error.message;
  throw error;
}
