import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { importJWK } from 'jose';
import { readErrorCode, readProviderError } from './answer-fields.js';
import type { CibaLog } from './ciba-log.js';
import { clockAheadMs, type ClockSample } from './clock-difference.js';
import { Connections, openConnector, type ConnectorFactory } from './connections.js';
import type {
  AddressFact,
  CredentialsFact,
  DiscoveryFact,
  DocumentFault,
  KeysFact,
  OriginFact,
  ProviderFacts,
  RuleFacts,
  RuleToExamine,
  TrialFact,
} from './doctor-facts.js';
import { acceptedAlgorithms } from './evidence.js';
import { exchange, type Exchange } from './exchange.js';
import { inspectOrigin } from './origin-inspection.js';
import { PreparedRegistrations } from './prepared-registration.js';
import { ProviderDirectory } from './provider-directory.js';
import { faultMessage, ProviderMisconfigured } from './provider-faults.js';
import { readProviderMetadata, readUrl, type MetadataDocument } from './provider-metadata.js';
import type { ClientRegistration, ProviderSettings } from './registration.js';
import { isRecord, type JsonObject } from './strict-json.js';
import { providerTls } from './tls-material.js';

/** Settings of the doctor. */
export interface ProviderDoctorOptions {
  /** Opens every connection; the place for an outbound guard. */
  readonly connect?: ConnectorFactory;
  /** Whether plain http is good enough; for development only. */
  readonly allowInsecureHttp: boolean;
  /** For each call; 8 s when left out. */
  readonly timeoutMs?: number;
  /** For an examination as a whole; 25 s when left out. Clients whose turn has not come by then are not tried. */
  readonly totalMs?: number;
  readonly log?: CibaLog;
  readonly now?: () => Date;
}

const trialsAtOnce = 4;
const shortestTrialMs = 200;
const maximumOrigins = 8;
const wellKnownPath = '/.well-known/openid-configuration';
const addressMembers = ['backchannel_authentication_endpoint', 'token_endpoint', 'jwks_uri'] as const;
const documentHeaders = ['accept', 'application/json', 'accept-encoding', 'identity'];

type ReadDocument = { readonly kind: 'read'; readonly document: JsonObject };

/** Looks at a provider as it is now; nothing that was learned before counts, and nobody is prompted. */
export class ProviderDoctor {
  constructor(private readonly options: ProviderDoctorOptions) {}

  /** Collects the facts in bounded time; never rejects for what the provider does. */
  async examine(
    provider: ProviderSettings,
    rules: readonly RuleToExamine[],
    moreRules: boolean,
  ): Promise<ProviderFacts> {
    const connections = new Connections(this.options.connect ?? openConnector);
    try {
      return await new Examination(this.options, connections, provider).run(rules, moreRules);
    } finally {
      await connections.close();
    }
  }
}

/** One look at one provider. */
class Examination {
  private readonly samples: ClockSample[] = [];
  private readonly timeoutMs: number;
  private readonly endsAtMs: number;
  private readonly now: () => Date;
  /** Everything is looked up under a name of its own, so that no cache knows it. */
  private readonly provider: ProviderSettings;

  constructor(
    private readonly options: ProviderDoctorOptions,
    private readonly connections: Connections,
    provider: ProviderSettings,
  ) {
    this.timeoutMs = options.timeoutMs ?? 8_000;
    this.endsAtMs = performance.now() + (options.totalMs ?? 25_000);
    this.now = options.now ?? (() => new Date());
    this.provider = { ...provider, id: randomUUID() };
  }

  async run(rules: readonly RuleToExamine[], moreRules: boolean): Promise<ProviderFacts> {
    const { issuer, profile } = this.provider;
    const { discovery, metadata } = await this.discover();
    const problem = this.problemWith(discovery, metadata);
    const withCertificates = rules.some(({ registration }) => registration?.credentials.type === 'mutual-tls');
    const [origins, keys, ruleFacts] = await Promise.all([
      this.inspectOrigins(metadata ?? {}, withCertificates),
      this.readKeys(metadata ?? {}),
      this.tryRules(rules, problem === null ? metadata : null),
    ]);
    return {
      issuer,
      profile,
      discovery,
      problem,
      metadata,
      unusableAddresses: metadata === null ? [] : this.unusableAddresses(metadata),
      origins,
      clock: { aheadMs: clockAheadMs(this.samples) },
      keys,
      rules: ruleFacts,
      moreRules,
    };
  }

  private async discover(): Promise<{ discovery: DiscoveryFact; metadata: MetadataDocument | null }> {
    const { issuer, metadata } = this.provider;
    if (metadata !== null) return { discovery: { kind: 'explicit' }, metadata };
    if (!this.isUsable(issuer)) return { discovery: { kind: 'unusable' }, metadata: null };
    const found = await this.fetchDocument(wellKnownUrl(issuer));
    if (found.kind !== 'read') return { discovery: found, metadata: null };
    return { discovery: { kind: 'read' }, metadata: Object.fromEntries(found.document) };
  }

  private problemWith(discovery: DiscoveryFact, metadata: MetadataDocument | null): string | null {
    switch (discovery.kind) {
      case 'unusable':
        return 'issuer is not a usable address';
      case 'unreachable':
        return `${discovery.url} cannot be read: ${discovery.code}`;
      case 'status':
        return `${discovery.url} answered ${discovery.status}`;
      case 'unreadable':
        return `${discovery.url} holds no usable JSON document`;
      case 'read':
      case 'explicit':
        break;
    }
    if (discovery.kind === 'read' && metadata?.['issuer'] !== this.provider.issuer) {
      return 'the discovery document is not that of the configured issuer';
    }
    try {
      readProviderMetadata(metadata ?? {}, this.provider.issuer, this.options.allowInsecureHttp);
      return null;
    } catch (error) {
      if (error instanceof ProviderMisconfigured) return error.message;
      throw error;
    }
  }

  private unusableAddresses(metadata: MetadataDocument): AddressFact[] {
    const own = addressMembers
      .filter((member) => !this.isUsable(metadata[member]))
      .map((member): AddressFact => ({ member, problem: metadata[member] === undefined ? 'missing' : 'unusable' }));
    const aliases = Object.entries(aliasesOf(metadata))
      .filter(([, address]) => !this.isUsable(address))
      .map(([member]): AddressFact => ({ member: `mtls_endpoint_aliases.${member}`, problem: 'unusable' }));
    return [...own, ...aliases];
  }

  private isUsable(address: unknown): address is string {
    try {
      return readUrl(address, 'address', this.options.allowInsecureHttp) !== null;
    } catch {
      return false;
    }
  }

  private inspectOrigins(metadata: MetadataDocument, withCertificates: boolean): Promise<OriginFact[]> {
    const { issuer } = this.provider;
    const plainOnes = [issuer, ...addressMembers.map((member) => metadata[member])];
    const aliases = withCertificates ? Object.values(aliasesOf(metadata)) : [];
    const originsOf = (addresses: readonly unknown[]) =>
      addresses.filter((address) => this.isUsable(address)).map((address) => new URL(address).origin);
    const called = new Set(originsOf(plainOnes));
    const all = [...new Set([...called, ...originsOf(aliases)])].slice(0, maximumOrigins);
    const connect = (this.options.connect ?? openConnector)(providerTls(this.provider));
    return Promise.all(all.map((origin) => inspectOrigin(connect, origin, this.remainingMs(), !called.has(origin))));
  }

  private async readKeys(metadata: MetadataDocument): Promise<KeysFact> {
    const url = metadata['jwks_uri'];
    if (!this.isUsable(url)) return { kind: 'not-tried' };
    const found = await this.fetchDocument(url);
    if (found.kind !== 'read') return found;
    const keys = found.document.get('keys');
    if (!Array.isArray(keys) || keys.length > 100 || !keys.every(isRecord)) {
      return { kind: 'read', keys: null, algorithms: [] };
    }
    const algorithms: string[] = [];
    for (const algorithm of acceptedAlgorithms) {
      const usable = await Promise.all(keys.map((key) => canVerify(key, algorithm)));
      if (usable.includes(true)) algorithms.push(algorithm);
    }
    return { kind: 'read', keys: keys.length, algorithms };
  }

  /** Rules that share a client share its trial. */
  private async tryRules(rules: readonly RuleToExamine[], metadata: MetadataDocument | null): Promise<RuleFacts[]> {
    const directory = new ProviderDirectory({
      connections: this.connections,
      allowInsecureHttp: this.options.allowInsecureHttp,
      timeoutMs: this.timeoutMs,
      nowMs: () => performance.now(),
      log: this.options.log ?? (() => undefined),
    });
    const registrations = new PreparedRegistrations({ directory, connections: this.connections, now: this.now });
    const clients = new Map<string, ClientRegistration>();
    for (const { registration } of rules) {
      if (registration !== null) clients.set(identityOf(registration), registration);
    }
    const trials = new Map<string, TrialFact>();
    const waiting = [...clients];
    const lane = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [identity, registration] = next;
        trials.set(identity, await this.tryClient(registrations, registration, metadata));
      }
    };
    await Promise.all(Array.from({ length: trialsAtOnce }, lane));
    return rules.map(({ id, name, asks, registration, refusals = [] }) => ({
      rule: { id, name },
      asks,
      refusals,
      clientId: registration?.clientId ?? '',
      credentials: credentialsOf(registration),
      signing: registration?.requestSigning ? { algorithm: registration.requestSigning.alg } : null,
      trial: (registration && trials.get(identityOf(registration))) ?? { kind: 'not-tried', why: 'metadata' },
    }));
  }

  /** The provider looks at the client before it looks for the request, which does not exist (RFC 6749 §3.2.1, §5.2). */
  private async tryClient(
    registrations: PreparedRegistrations,
    registration: ClientRegistration,
    metadata: MetadataDocument | null,
  ): Promise<TrialFact> {
    if (metadata === null) return { kind: 'not-tried', why: 'metadata' };
    if (this.remainingMs() < shortestTrialMs) return { kind: 'not-tried', why: 'time' };
    try {
      const { postPoll } = await registrations.find({
        ...registration,
        provider: { ...this.provider, metadata },
        key: randomUUID(),
        // Start calls are not made here; whether theirs can be signed is judged by the metadata.
        requestSigning: null,
      });
      const result = await this.timed(() =>
        postPoll({ auth_req_id: `assent-doctor-${randomUUID()}` }, this.remainingMs()),
      );
      return readTrial(result);
    } catch (error) {
      if (error instanceof ProviderMisconfigured) return { kind: 'unready', detail: faultMessage(error) };
      throw error;
    }
  }

  private async fetchDocument(url: string): Promise<ReadDocument | DocumentFault> {
    const target = this.connections.target(url, this.provider.id, providerTls(this.provider));
    const result = await this.timed(() =>
      exchange({ target, headers: documentHeaders, body: null, timeoutMs: this.remainingMs() }),
    );
    if (result.kind !== 'answered') return { kind: 'unreachable', url, code: result.detail };
    const { status, body } = result.answer;
    if (status !== 200) return { kind: 'status', url, status };
    return body === null ? { kind: 'unreadable', url } : { kind: 'read', document: body };
  }

  /** Notes what the provider's clock says, when it says so. */
  private async timed(call: () => Promise<Exchange>): Promise<Exchange> {
    const sentAt = this.now();
    const result = await call();
    const date = result.kind === 'answered' ? (result.answer.date ?? null) : null;
    if (date !== null) this.samples.push({ date, sentAt, receivedAt: this.now() });
    return result;
  }

  /** For the next call. */
  private remainingMs(): number {
    return Math.max(Math.min(this.timeoutMs, this.endsAtMs - performance.now()), 1);
  }
}

/** OpenID Connect Discovery 1.0 §4.1: a slash at the end of the issuer goes. */
function wellKnownUrl(issuer: string): string {
  const url = new URL(issuer);
  url.pathname = `${url.pathname.replace(/\/$/, '')}${wellKnownPath}`;
  return url.href;
}

function aliasesOf(metadata: MetadataDocument): MetadataDocument {
  const aliases = metadata['mtls_endpoint_aliases'];
  if (!isRecord(aliases)) return {};
  const called = Object.entries(aliases).filter(([member]) => addressMembers.some((known) => known === member));
  return Object.fromEntries(called);
}

const keyTypes: Readonly<Record<string, (key: Record<string, unknown>) => boolean>> = {
  PS256: ({ kty }) => kty === 'RSA',
  RS256: ({ kty }) => kty === 'RSA',
  ES256: ({ kty, crv }) => kty === 'EC' && crv === 'P-256',
  EdDSA: ({ kty, crv }) => kty === 'OKP' && crv === 'Ed25519',
};

async function canVerify(key: Record<string, unknown>, algorithm: string): Promise<boolean> {
  const { use, alg } = key;
  if ((use ?? 'sig') !== 'sig' || (alg ?? algorithm) !== algorithm) return false;
  if (keyTypes[algorithm]?.(key) !== true) return false;
  return importJWK(key, algorithm).then(
    () => true,
    () => false,
  );
}

/** Equal for registrations that look alike to the provider; a digest, so that no secret becomes a key. */
function identityOf({ clientId, credentials }: ClientRegistration): string {
  return createHash('sha256')
    .update(JSON.stringify([clientId, credentials]))
    .digest('base64');
}

function credentialsOf(registration: ClientRegistration | null): CredentialsFact {
  if (registration === null) return { type: 'gone' };
  const { credentials } = registration;
  switch (credentials.type) {
    case 'secret':
      return { type: 'secret', method: credentials.method };
    case 'private-key-jwt':
      return { type: 'private-key-jwt' };
    case 'mutual-tls':
      return {
        type: 'mutual-tls',
        method: credentials.method,
        certificate: certificateTimes(credentials.certificateChainPem),
      };
  }
}

function certificateTimes(pem: string): { notBefore: Date; notAfter: Date } | null {
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
  } catch {
    return null;
  }
}

function readTrial(result: Exchange): TrialFact {
  if (result.kind !== 'answered') return { kind: 'no-answer', code: result.detail };
  const { status, body } = result.answer;
  const code = readErrorCode(body);
  return {
    kind: 'answered',
    status,
    error: code === null ? null : readProviderError(code, body).code,
    carriesTokens: body !== null && (body.has('access_token') || body.has('id_token')),
  };
}
