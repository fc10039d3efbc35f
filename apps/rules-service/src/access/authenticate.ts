import { timingSafeEqual } from 'node:crypto';
import { scopes } from '#lib/contracts';
import { unlimited } from '#lib/domain';
import type { Database } from '#lib/persistence';
import { ProblemError, type Secret } from '#lib/runtime';
import { hashOfKey, looksLikeApiKey } from './api-key.js';
import type { Caller } from './caller.js';

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
  ) {
    this.#bootstrapHash = hashOfKey(bootstrapKey.reveal());
  }

  /** @throws ProblemError `unauthenticated` */
  async run(authorization: string | undefined): Promise<Caller> {
    const key = /^Bearer +([\x21-\x7E]{1,1024})$/i.exec(authorization ?? '')?.[1];
    if (key === undefined) throw unauthenticated('Bearer', 'Send an API key: Authorization: Bearer assent_….');
    const hash = hashOfKey(key);
    if (timingSafeEqual(hash, this.#bootstrapHash)) return bootstrapCaller;
    const client = looksLikeApiKey(key) ? await this.apiClients.findByKeyHash(hash) : null;
    // Nobody who lacks the key learns that there is such a client.
    if (client === null || !client.enabled) {
      throw unauthenticated(
        'Bearer error="invalid_token"',
        'This API key is not known, or its client is stopped. Check it, or make another one.',
      );
    }
    const { id, rules, subjects, requestsPerMinute } = client;
    return { id, scopes: new Set(client.scopes), rules, subjects, requestsPerMinute };
  }
}

const unauthenticated = (challenge: string, detail: string): ProblemError =>
  new ProblemError('unauthenticated', detail, { headers: { 'www-authenticate': challenge } });
