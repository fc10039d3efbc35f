import { timingSafeEqual } from 'node:crypto';
import { bootstrapClientId, scopes } from '#lib/contracts';
import { unlimited } from '#lib/domain';
import type { Database } from '#lib/persistence';
import { ProblemError, type Secret } from '#lib/runtime';
import { hashOfKey, looksLikeApiKey } from './api-key.js';
import type { BearerTokens, ClientByToken } from './bearer-tokens.js';
import type { Caller } from './caller.js';
import type { KeyUse } from './key-use.js';

const bootstrapCaller: Caller = {
  id: bootstrapClientId,
  scopes: new Set(scopes),
  ...unlimited,
  requestsPerMinute: null,
};

/** Who has an API key. */
export interface KeyHolder {
  readonly caller: Caller;
  readonly name: string;
}

/** Longer than any key, and than any access token that is worth a look. */
const credential = /^Bearer +([\x21-\x7E]{1,8192})$/i;

/** Finds out who makes a call, from its `Authorization` header (RFC 6750 §2.1): by an API key, or by an access token. */
export class Authenticate {
  readonly #bootstrapHash: Buffer;

  constructor(
    bootstrapKey: Secret,
    private readonly apiClients: Pick<Database['apiClients'], 'findByKeyHash'>,
    private readonly tokens: Pick<BearerTokens, 'clientOf'>,
    private readonly keyUse: Pick<KeyUse, 'note'>,
  ) {
    this.#bootstrapHash = hashOfKey(bootstrapKey.reveal());
  }

  /** @throws ProblemError `unauthenticated`, `issuer_unavailable` */
  async run(authorization: string | undefined): Promise<Caller> {
    const key = credential.exec(authorization ?? '')?.[1];
    if (key === undefined) throw unauthenticated('Bearer', 'Send an API key: Authorization: Bearer assent_….');
    const hash = hashOfKey(key);
    if (this.isBootstrap(hash)) return bootstrapCaller;
    const found = looksLikeApiKey(key) ? await this.byKey(hash) : await this.tokens.clientOf(key);
    // Nobody who lacks credentials that work learns that there is such a client.
    if (found === null || !found.client.enabled) {
      throw unauthenticated(
        'Bearer error="invalid_token"',
        'This API key or access token is not known, has ended, or its client is stopped. Check it, or get another one.',
      );
    }
    return this.noted(found);
  }

  /** Who has the API key of this hash; null when nobody has it, it has ended, or its client is stopped. */
  async holderOf(keyHash: Buffer): Promise<KeyHolder | null> {
    if (this.isBootstrap(keyHash)) return { caller: bootstrapCaller, name: 'Bootstrap key' };
    const found = await this.byKey(keyHash);
    if (found === null || !found.client.enabled) return null;
    return { caller: this.noted(found), name: found.client.name };
  }

  private isBootstrap(hash: Buffer): boolean {
    return timingSafeEqual(hash, this.#bootstrapHash);
  }

  private noted({ client, scopes }: ClientByToken): Caller {
    const { id, rules, subjects, requestsPerMinute } = client;
    this.keyUse.note(id);
    return { id, scopes, rules, subjects, requestsPerMinute };
  }

  private async byKey(hash: Buffer): Promise<ClientByToken | null> {
    const found = await this.apiClients.findByKeyHash(hash);
    if (found === null || hasEnded(found.keyExpiresAt)) return null;
    return { client: found.client, scopes: new Set(found.client.scopes) };
  }
}

const hasEnded = (at: Date | null): boolean => at !== null && at.getTime() <= Date.now();

const unauthenticated = (challenge: string, detail: string): ProblemError =>
  new ProblemError('unauthenticated', detail, { headers: { 'www-authenticate': challenge } });
