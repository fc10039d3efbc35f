import { createHash, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import {
  CibaClient,
  ProviderMisconfigured,
  ProviderUnavailable,
  type ClientRegistration,
  type PollOutcome,
  type StartOutcome,
} from '#lib/ciba';
import { Chance, mutateEnvelope, mutateMembers, mutateText, writeJson } from './answer-mutations.js';
import { listen, readBody } from './scripted-provider.js';

/** What a run of the fuzzer found. */
export interface FuzzReport {
  readonly runs: number;
  /** How often each target came to each end, as `target: end`. */
  readonly ends: Readonly<Record<string, number>>;
}

type Members = Record<string, unknown>;
type Target = 'start' | 'tokens' | 'id-token' | 'claims' | 'keys' | 'discovery';
interface Wire {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const targets: readonly Target[] = ['start', 'tokens', 'id-token', 'claims', 'keys', 'discovery'];
const clientId = 'client-1';
const authReqId = 'id-1';
const scope = 'openid payments';
const acr = 'urn:phishing-resistant';
const hangsAfterMs = 8_000;
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/**
 * Damages the answers of a provider in seeded ways, lets the real client read them over real connections, and judges
 * the result by a second, simple reading of the same bytes.
 *
 * Never verified unless what was sent still proves the approval; never an exception; never a hang.
 */
export class AnswerFuzzer {
  private wires = new Map<string, Wire>();
  private issuer = '';
  private round = 0;
  private readonly ends: Record<string, number> = {};
  private readonly client = new CibaClient({ allowInsecureHttp: true, timeoutMs: 2_000, pollTimeoutMs: 2_000 });

  private constructor(private readonly server: Server) {}

  static async open(): Promise<AnswerFuzzer> {
    let fuzzer: AnswerFuzzer | null = null;
    const server = createServer((request, response) => {
      void readBody(request).then(() => {
        const wire = fuzzer?.wires.get(request.url ?? '');
        if (wire === undefined) return void response.writeHead(404).end();
        response.writeHead(wire.status, { 'content-type': 'application/json', ...wire.headers }).end(wire.body);
      });
    });
    fuzzer = new AnswerFuzzer(server);
    fuzzer.issuer = `http://127.0.0.1:${await listen(server, undefined)}`;
    return fuzzer;
  }

  async close(): Promise<void> {
    await this.client.close();
    this.server.close();
    this.server.closeAllConnections();
  }

  /**
   * Makes the runs `from`, `from + 1`, … of a seed; each can be replayed by itself.
   *
   * @throws Error that names the seed, the run, and the command that replays it
   */
  async run(seed: number, runs: number, from = 0): Promise<FuzzReport> {
    await this.proveThatTheUntouchedAnswerIsVerified();
    for (let run = from; run < from + runs; run++) {
      const chance = new Chance(Math.imul(seed, 1_000_003) + run);
      const target = chance.pick(targets);
      try {
        await this.once(target, chance);
      } catch (error) {
        const replay = `npm run fuzz -- --seed ${seed} --from ${run} --runs 1`;
        throw new Error(`${target}: ${(error as Error).message}\nSent: ${this.sent()}\nReplay: ${replay}`, {
          cause: error,
        });
      }
    }
    return { runs, ends: this.ends };
  }

  private async once(target: Target, chance: Chance): Promise<void> {
    // Documents are cached by provider: one that is damaged needs a provider of its own.
    this.round++;
    const registration = this.registration(
      target === 'keys' || target === 'discovery' ? `op-${this.round}` : 'op',
      target,
    );
    this.wires = this.inOrder();
    this.damage(target, chance);
    const end = await this.within(this.observe(target, registration));
    const name = `${target}: ${end}`;
    this.ends[name] = (this.ends[name] ?? 0) + 1;
  }

  private damage(target: Target, chance: Chance): void {
    const times = 1 + chance.below(3);
    const repeatedly = (members: Members) => {
      let damaged = members;
      for (let time = 0; time < times; time++) damaged = mutateMembers(damaged, chance);
      return damaged;
    };
    switch (target) {
      case 'start':
        return this.put('/start', repeatedly(acknowledgement), chance);
      case 'tokens':
        return this.put('/token', repeatedly(this.tokens(this.idToken(this.claims()))), chance);
      case 'id-token': {
        let idToken = this.idToken(this.claims());
        for (let time = 0; time < times; time++) idToken = damagedIdToken(idToken, chance);
        return this.put('/token', this.tokens(idToken), chance);
      }
      case 'claims': {
        const header = chance.next() < 0.4 ? repeatedly(usualHeader) : usualHeader;
        const key = chance.next() < 0.15 ? stranger.privateKey : own.privateKey;
        return this.put('/token', this.tokens(this.idToken(repeatedly(this.claims()), header, key)), chance);
      }
      case 'keys':
        return this.put('/jwks', repeatedly(keyDocument), chance);
      case 'discovery':
        return this.put('/.well-known/openid-configuration', repeatedly(this.metadata()), chance);
    }
  }

  private async observe(target: Target, registration: ClientRegistration): Promise<string> {
    switch (target) {
      case 'start':
        return this.judgeStart(await this.client.start(registration, startRequest));
      case 'discovery':
        return this.judgeDiscovery(registration);
      case 'tokens':
      case 'id-token':
      case 'claims':
      case 'keys':
        return this.judgeTokens(registration, await this.client.poll(registration, authReqId));
    }
  }

  private judgeStart(outcome: StartOutcome): string {
    if (outcome.kind !== 'acknowledged') return outcome.kind;
    const { status, body } = this.wires.get('/start')!;
    const read = looseJson(body);
    insist(status === 200, 'acknowledged by another status than 200');
    insist(read?.['auth_req_id'] === outcome.authReqId, 'the auth_req_id is another one than was sent');
    insist(!Object.hasOwn(read, 'error'), 'acknowledged beside an error');
    insist(outcome.expiresInSeconds >= 1 && outcome.intervalSeconds >= 1, 'acknowledged without time');
    return outcome.kind;
  }

  private async judgeDiscovery(registration: ClientRegistration): Promise<string> {
    try {
      const { issuer } = await this.client.discover(registration.provider);
      const read = looseJson(this.wires.get('/.well-known/openid-configuration')!.body);
      insist(issuer === this.issuer && read?.['issuer'] === this.issuer, 'another issuer was believed');
      return 'found';
    } catch (error) {
      if (error instanceof ProviderUnavailable || error instanceof ProviderMisconfigured) return error.name;
      throw error;
    }
  }

  private async judgeTokens(registration: ClientRegistration, outcome: PollOutcome): Promise<string> {
    if (outcome.kind !== 'tokens') return outcome.kind;
    const now = new Date();
    const verification = await this.client.verify(registration, outcome.answer, this.expectation(now), now);
    if (verification.kind !== 'verified') return verification.kind;
    const objection = this.objection(now.getTime() / 1000);
    insist(objection === null, `verified, although ${objection}`);
    return verification.kind;
  }

  /** A second opinion about what is on the wire: what keeps it from proving the approval; null when nothing does. */
  private objection(now: number): string | null {
    const { status, body } = this.wires.get('/token')!;
    const answer = looseJson(body);
    if (status !== 200 || answer === null) return 'the answer is not a successful one';
    if (Object.hasOwn(answer, 'error')) return 'there is an error beside the tokens';
    const { access_token: accessToken, token_type: type, id_token: idToken, scope: granted } = answer;
    if (!isText(accessToken) || !isText(type) || !isText(idToken)) return 'a member is missing';
    if (
      granted !== undefined &&
      !(isText(granted) && scope.split(' ').every((one) => granted.split(' ').includes(one)))
    ) {
      return 'less was granted than asked for';
    }
    const parts = idToken.split('.');
    const header = looseJson(Buffer.from(parts[0] ?? '', 'base64url'));
    const claims = looseJson(Buffer.from(parts[1] ?? '', 'base64url'));
    if (parts.length !== 3 || header?.['alg'] !== 'ES256' || claims === null) return 'the ID token is none';
    if (!this.publishedKeys().some((key) => isSignedBy(key, parts))) return 'nobody who is published has signed it';
    const { iss, aud, sub, azp, exp, iat, nbf, auth_time: authTime } = claims;
    const { 'urn:openid:params:jwt:claim:auth_req_id': requestId, at_hash: atHash } = claims;
    const wrong: readonly [boolean, string][] = [
      [iss !== this.issuer, 'iss is wrong'],
      [!(aud === clientId || (Array.isArray(aud) && aud.length === 1 && aud[0] === clientId)), 'aud is wrong'],
      [azp !== undefined && azp !== clientId, 'azp is wrong'],
      [sub !== 'person-1', 'sub is wrong'],
      [!(typeof exp === 'number' && exp > now - 61), 'exp is wrong'],
      [!(typeof iat === 'number' && Math.abs(iat - now) < 70), 'iat is wrong'],
      [nbf !== undefined && !(typeof nbf === 'number' && nbf < now + 61), 'nbf is wrong'],
      [
        authTime !== undefined && !(typeof authTime === 'number' && Math.abs(authTime - now) < 70),
        'auth_time is wrong',
      ],
      [claims['acr'] !== acr, 'acr is wrong'],
      [requestId !== undefined && requestId !== authReqId, 'it belongs to another request'],
      [atHash !== undefined && atHash !== halfHash(accessToken), 'at_hash is wrong'],
      [
        ['crit', 'b64', 'jku', 'x5u', 'jwk', 'zip'].some((name) => Object.hasOwn(header, name)),
        'its header is hostile',
      ],
    ];
    return wrong.find(([holds]) => holds)?.[1] ?? null;
  }

  /** The keys that anybody could find in the document as it was sent. */
  private publishedKeys(): KeyObject[] {
    const keys = looseJson(this.wires.get('/jwks')!.body)?.['keys'];
    return (Array.isArray(keys) ? (keys as unknown[]) : []).flatMap((key) => {
      try {
        return [createPublicKey({ key: key as Members, format: 'jwk' })];
      } catch {
        return [];
      }
    });
  }

  /** Without this every run could pass because nothing is ever verified. */
  private async proveThatTheUntouchedAnswerIsVerified(): Promise<void> {
    this.wires = this.inOrder();
    const registration = this.registration('op', 'tokens');
    insist(
      (await this.client.start(registration, startRequest)).kind === 'acknowledged',
      'the original is not acknowledged',
    );
    const end = await this.judgeTokens(registration, await this.client.poll(registration, authReqId));
    insist(end === 'verified', `the original is not verified: ${end}`);
  }

  private async within<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no result in time')), hangsAfterMs);
    });
    return Promise.race([work, limit]).finally(() => clearTimeout(timer));
  }

  private put(path: string, members: Members, chance: Chance): void {
    this.wires.set(path, { ...mutateEnvelope(200, chance), body: writeJson(members, chance) });
  }

  private inOrder(): Map<string, Wire> {
    const wire = (members: Members): Wire => ({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(members)) });
    return new Map([
      ['/start', wire(acknowledgement)],
      ['/token', wire(this.tokens(this.idToken(this.claims())))],
      ['/jwks', wire(keyDocument)],
      ['/.well-known/openid-configuration', wire(this.metadata())],
    ]);
  }

  private registration(providerId: string, target: Target): ClientRegistration {
    const metadata = target === 'discovery' ? null : this.metadata();
    const provider = {
      id: providerId,
      issuer: this.issuer,
      metadata,
      trustedCertificates: [],
      profile: 'generic',
    } as const;
    return {
      key: `rule of ${providerId}`,
      clientId,
      credentials: { type: 'secret', clientSecret: 's', method: null },
      provider,
    };
  }

  private expectation(now: Date) {
    const sentAt = new Date(now.getTime() - 1_000);
    return { clientId, requestedScope: scope, sentAt, acrValues: [acr], expectedSubject: 'person-1', authReqId };
  }

  private metadata(): Members {
    return {
      issuer: this.issuer,
      token_endpoint: `${this.issuer}/token`,
      backchannel_authentication_endpoint: `${this.issuer}/start`,
      jwks_uri: `${this.issuer}/jwks`,
      grant_types_supported: ['urn:openid:params:grant-type:ciba'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256'],
    };
  }

  private claims(): Members {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      sub: 'person-1',
      aud: clientId,
      azp: clientId,
      iat: now,
      exp: now + 300,
      auth_time: now,
      acr,
      at_hash: halfHash('at'),
      'urn:openid:params:jwt:claim:auth_req_id': authReqId,
    };
  }

  private tokens(idToken: string): Members {
    return { access_token: 'at', token_type: 'Bearer', expires_in: 300, scope, id_token: idToken };
  }

  private idToken(claims: Members, header: Members = usualHeader, key: KeyObject = own.privateKey): string {
    const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  private sent(): string {
    return [...this.wires].map(([path, { status, body }]) => `${path} ${status} ${body.toString('latin1')}`).join('\n');
  }
}

const acknowledgement: Members = { auth_req_id: authReqId, expires_in: 120, interval: 5 };
const usualHeader: Members = { alg: 'ES256', kid: 'own' };
const jwkOf = ({ publicKey }: { readonly publicKey: KeyObject }, kid: string): Members => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  alg: 'ES256',
  use: 'sig',
});
const keyDocument: Members = {
  keys: [jwkOf(own, 'own'), jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'other')],
};
const startRequest = {
  scope,
  loginHint: 'alice@example.com',
  bindingMessage: null,
  requestedExpirySeconds: null,
  acrValues: [acr],
  authorizationDetails: null,
  userCode: null,
  clientNotificationToken: null,
};

function damagedIdToken(idToken: string, chance: Chance): string {
  const parts = idToken.split('.');
  switch (chance.below(5)) {
    case 0:
      return parts.filter((_part, index) => index !== chance.below(parts.length)).join('.');
    case 1: {
      const one = chance.below(parts.length);
      return parts.map((part, index) => (index === one ? mutateText(part, chance) : part)).join('.');
    }
    case 2: {
      const one = chance.below(2);
      const decoded = looseJson(Buffer.from(parts[one] ?? '', 'base64url')) ?? {};
      const damaged = Buffer.from(JSON.stringify(mutateMembers(decoded, chance))).toString('base64url');
      return parts.map((part, index) => (index === one ? damaged : part)).join('.');
    }
    case 3:
      return [...parts, chance.pick(parts)].join('.');
    default:
      return mutateText(idToken, chance);
  }
}

function looseJson(bytes: Buffer): Members | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
  } catch {
    return null;
  }
}

function isSignedBy(key: KeyObject, [header = '', claims = '', signature = '']: readonly string[]): boolean {
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
  const bytes = Buffer.from(signature, 'base64url');
  return verify('sha256', Buffer.from(`${header}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, bytes);
}

function halfHash(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function insist(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}
