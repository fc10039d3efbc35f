import { timingSafeEqual } from 'node:crypto';
import { scopes } from '#lib/contracts';
import { unlimited } from '#lib/domain';
import type { Database } from '#lib/persistence';
import { ProblemError, type Secret } from '#lib/runtime';
import { hashOfKey, looksLikeApiKey } from './api-key.js';
import type { Caller } from './caller.js';
import type { KeyUse } from './key-use.js';

/** The client behind `ASSENT_API_KEY`: it is in no table, and owns the requests that it makes. */
export const bootstrapClientId = '00000000-0000-7000-8000-000000000000';

const bootstrapCaller: Caller = {
  id: bootstrapClientId,
  scopes: new Set(scopes),
  ...unlimited,
  requestsPerMinute: null,
};

/** Finds out who makes a call, from its `Authorization` header (RFC 6750 §2.1). */
export class Authenticate {
  readonly #bootstrapHash: Buffer;

  constructor(
    bootstrapKey: Secret,
    private readonly apiClients: Pick<Database['apiClients'], 'findByKeyHash'>,
    private readonly keyUse: Pick<KeyUse, 'note'>,
  ) {
    this.#bootstrapHash = hashOfKey(bootstrapKey.reveal());
  }

  /** @throws ProblemError `unauthenticated` */
  async run(authorization: string | undefined): Promise<Caller> {
    const key = /^Bearer +([\x21-\x7E]{1,1024})$/i.exec(authorization ?? '')?.[1];
    if (key === undefined) throw unauthenticated('Bearer', 'Send an API key: Authorization: Bearer assent_….');
    const hash = hashOfKey(key);
    if (timingSafeEqual(hash, this.#bootstrapHash)) return bootstrapCaller;
    const found = looksLikeApiKey(key) ? await this.apiClients.findByKeyHash(hash) : null;
    // Nobody who lacks a key that works learns that there is such a client.
    if (found === null || !found.client.enabled || hasEnded(found.keyExpiresAt)) {
      throw unauthenticated(
        'Bearer error="invalid_token"',
        'This API key is not known, has ended, or its client is stopped. Check it, or make another one.',
      );
    }
    const { id, rules, subjects, requestsPerMinute } = found.client;
    this.keyUse.note(id);
    return { id, scopes: new Set(found.client.scopes), rules, subjects, requestsPerMinute };
  }
}

const hasEnded = (at: Date | null): boolean => at !== null && at.getTime() <= Date.now();

const unauthenticated = (challenge: string, detail: string): ProblemError =>
  new ProblemError('unauthenticated', detail, { headers: { 'www-authenticate': challenge } });
