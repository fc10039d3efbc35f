/**
 * The audit log as a chain: each event's hash covers the event and the hash before it, and signed heads say how far the
 * chain reached when it was sealed. Everything here is pure; hashing and signatures are the caller's.
 */

import { canonicalJson } from './canonical-json.js';

/** What of an event the chain covers. What names a person is covered by a salted hash alone, so that it can go. */
export interface SealedEvent {
  readonly sequence: number;
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly type: string; readonly id: string | null; readonly name: string | null };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string | null; readonly name: string | null };
  readonly requestId: string | null;
  readonly changes: readonly { readonly pointer: string; readonly before: unknown; readonly after: unknown }[] | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
  readonly personalSha256: string | null;
}

/** An event as it is kept. */
export interface ChainedEvent extends SealedEvent {
  readonly personal: Readonly<Record<string, unknown>> | null;
  /** Goes together with what it salts. */
  readonly personalSalt: string | null;
  readonly hash: string;
}

/** What a head says, and signs. */
export interface HeadClaims {
  /** Counts from 1. */
  readonly batch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** The hash of the event before the first. */
  readonly previousHash: string;
  /** The hash of the last event, and so of all before it. */
  readonly hash: string;
  readonly sealedAt: string;
}

export interface ChainHead extends HeadClaims {
  /** Which key has signed. */
  readonly kid: string;
  /** A compact JWS over the claims (RFC 7515). */
  readonly signature: string;
}

/** SHA-256 of a text in UTF-8, as base64url. */
export type Sha256 = (text: string) => string;

/** The hash before the first event. */
export const genesisHash = 'A'.repeat(43);

/** The hash of an event that follows another. */
export function chainHash(previousHash: string, event: SealedEvent, sha256: Sha256): string {
  const { sequence, id, at, actor, action, resource, requestId, changes, detail, personalSha256 } = event;
  const covered = { sequence, id, at, actor, action, resource, requestId, changes, detail, personalSha256 };
  return sha256(canonicalJson({ event: covered, previousHash }));
}

/** The hash of what names a person. */
export const personalHash = (personal: Readonly<Record<string, unknown>>, salt: string, sha256: Sha256): string =>
  sha256(canonicalJson({ personal, salt }));

/** The text that a head's signature covers. */
export function headText({ batch, firstSequence, lastSequence, previousHash, hash, sealedAt }: HeadClaims): string {
  return canonicalJson({ batch, firstSequence, lastSequence, previousHash, hash, sealedAt });
}

/** The first place at which the log is not what was sealed. */
export class ChainBroken extends Error {
  override readonly name = 'ChainBroken';

  constructor(
    readonly place: 'event' | 'head',
    /** The sequence of the event, or the batch of the head. */
    readonly number: number,
    readonly problem: string,
  ) {
    super(`${place === 'event' ? 'Event' : 'Head'} ${number}: ${problem}`);
  }
}

export interface ChainChecks {
  readonly sha256: Sha256;
  /** Whether the head's signature covers exactly this text, by a key that is trusted. */
  readonly verifySignature: (head: ChainHead, text: string) => boolean;
  /** What was known of the log at an earlier time, and kept elsewhere: it must still be part of it. */
  readonly anchors?: readonly { readonly sequence: number; readonly hash: string }[];
}

/** What a whole log was found to be. */
export interface ChainSummary {
  readonly events: number;
  readonly heads: number;
  /** Events whose personal part has been erased. */
  readonly erased: number;
  readonly lastSequence: number;
  readonly lastHash: string;
}

/**
 * Follows a log from its first event: events in order, each head after its last event. Whatever was changed, taken out,
 * put in or swapped is found at the first place where it shows; what is missing at the very end only an anchor tells.
 */
export class ChainVerifier {
  #events = 0;
  #erased = 0;
  #hash = genesisHash;
  #batch = 0;
  #sealed = 0;
  #sealedHash = genesisHash;
  readonly #anchors: Map<number, string>;

  constructor(private readonly checks: ChainChecks) {
    this.#anchors = new Map(checks.anchors?.map(({ sequence, hash }) => [sequence, hash]));
  }

  /** @throws ChainBroken */
  event(event: ChainedEvent): void {
    const expected = this.#events + 1;
    if (event.sequence !== expected) {
      throw new ChainBroken('event', expected, `it is not there; number ${event.sequence} stands in its place.`);
    }
    const hash = chainHash(this.#hash, event, this.checks.sha256);
    if (hash !== event.hash) throw new ChainBroken('event', expected, 'it is not what was sealed.');
    this.#judgePersonal(event);
    const anchor = this.#anchors.get(expected);
    if (anchor !== undefined && anchor !== hash) {
      throw new ChainBroken('event', expected, 'the log up to here is not the one that the anchor was taken from.');
    }
    this.#events = expected;
    this.#hash = hash;
  }

  /** @throws ChainBroken */
  head(head: ChainHead): void {
    const batch = this.#batch + 1;
    if (head.batch !== batch) {
      throw new ChainBroken('head', batch, `it is not there; number ${head.batch} stands in its place.`);
    }
    if (head.firstSequence !== this.#sealed + 1 || head.lastSequence < head.firstSequence) {
      throw new ChainBroken('head', batch, `it does not begin at event ${this.#sealed + 1}.`);
    }
    if (head.previousHash !== this.#sealedHash) {
      throw new ChainBroken('head', batch, 'it does not follow the head before it.');
    }
    if (head.lastSequence > this.#events) {
      throw new ChainBroken('event', this.#events + 1, `it is not there; head ${batch} ends at ${head.lastSequence}.`);
    }
    if (head.lastSequence < this.#events) {
      throw new ChainBroken('event', head.lastSequence + 1, `it stands in batch ${batch}, which ends before it.`);
    }
    if (head.hash !== this.#hash) throw new ChainBroken('head', batch, 'it names another last event.');
    if (!this.checks.verifySignature(head, headText(head))) {
      throw new ChainBroken('head', batch, 'its signature does not fit, or its key is not one that is trusted.');
    }
    this.#batch = batch;
    this.#sealed = head.lastSequence;
    this.#sealedHash = head.hash;
  }

  /** @throws ChainBroken */
  end(): ChainSummary {
    if (this.#events > this.#sealed) {
      throw new ChainBroken('head', this.#batch + 1, `it is not there; no head seals event ${this.#sealed + 1}.`);
    }
    const beyond = Math.max(0, ...this.#anchors.keys());
    if (beyond > this.#events) {
      throw new ChainBroken('event', this.#events + 1, `it is not there; the anchor knows events up to ${beyond}.`);
    }
    return {
      events: this.#events,
      heads: this.#batch,
      erased: this.#erased,
      lastSequence: this.#events,
      lastHash: this.#hash,
    };
  }

  #judgePersonal({ sequence, personal, personalSalt, personalSha256 }: ChainedEvent): void {
    if (personalSha256 === null) {
      if (personal === null && personalSalt === null) return;
      throw new ChainBroken('event', sequence, 'it has a personal part that was never sealed.');
    }
    if (personal === null && personalSalt === null) {
      this.#erased++;
      return;
    }
    const hash =
      personal === null || personalSalt === null ? null : personalHash(personal, personalSalt, this.checks.sha256);
    if (hash !== personalSha256) throw new ChainBroken('event', sequence, 'its personal part is not what was sealed.');
  }
}
