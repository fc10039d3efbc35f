import { timingSafeEqual } from 'node:crypto';
import { scopes } from '#lib/contracts';
import type { Database } from '#lib/persistence';
import { ProblemError, type Secret } from '#lib/runtime';
import { hashOfKey, looksLikeApiKey } from './api-key.js';
import type { Caller } from './caller.js';

/** The client behind `ASSENT_API_KEY`: it is in no table, and owns the requests that it makes. */
export const bootstrapClientId = '00000000-0000-7000-8000-000000000000';

const bootstrapCaller: Caller = { id: bootstrapClientId, scopes: new Set(scopes) };

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
    if (client === null) {
      throw unauthenticated(
        'Bearer error="invalid_token"',
        'This API key is not known. Check it, or make another one.',
      );
    }
    return { id: client.id, scopes: new Set(client.scopes) };
  }
}

const unauthenticated = (challenge: string, detail: string): ProblemError =>
  new ProblemError('unauthenticated', detail, { headers: { 'www-authenticate': challenge } });
