import { createHash, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  chainHash,
  ChainBroken,
  ChainVerifier,
  genesisHash,
  headText,
  personalHash,
  type ChainedEvent,
  type ChainHead,
  type ChainSummary,
} from './audit-chain.js';

type Entry = { readonly event: ChainedEvent } | { readonly head: ChainHead };
type Anchor = { readonly sequence: number; readonly hash: string };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519').privateKey;

const signed = (claims: Omit<ChainHead, 'kid' | 'signature'>, key: KeyObject): ChainHead => {
  const signature = sign(null, Buffer.from(headText(claims)), key).toString('base64url');
  return { ...claims, kid: 'k', signature };
};

/** A log of three batches of ten events each; every third one has a personal part. */
function aLog(size = 30, perBatch = 10): Entry[] {
  const entries: Entry[] = [];
  let hash = genesisHash;
  let headHash = genesisHash;
  for (let sequence = 1; sequence <= size; sequence++) {
    const personal = sequence % 3 === 0 ? { subject: `subject ${sequence}` } : null;
    const salt = personal === null ? null : `salt ${sequence}`;
    const event = {
      sequence,
      id: `event ${sequence}`,
      at: `2026-01-01T00:00:${String(sequence).padStart(2, '0')}.000Z`,
      actor: { type: 'api-client', id: `client ${sequence % 4}`, name: 'Shop' },
      action: 'rule.updated',
      resource: { type: 'rule', id: `rule ${sequence % 5}`, name: 'Pay' },
      requestId: `call ${sequence}`,
      changes: [{ pointer: '/name', before: `name ${sequence}`, after: `name ${sequence + 1}` }],
      detail: { version: sequence },
      personalSha256: personal && personalHash(personal, salt!, sha256),
    };
    hash = chainHash(hash, event, sha256);
    entries.push({ event: { ...event, personal, personalSalt: salt, hash } });
    if (sequence % perBatch !== 0) continue;
    const batch = sequence / perBatch;
    const span = { batch, firstSequence: sequence - perBatch + 1, lastSequence: sequence };
    const sealedAt = `2026-01-01T00:01:0${batch}.000Z`;
    entries.push({ head: signed({ ...span, previousHash: headHash, hash, sealedAt }, privateKey) });
    headHash = hash;
  }
  return entries;
}

function verified(entries: readonly Entry[], anchors: readonly Anchor[] = []): ChainSummary | ChainBroken {
  const verifySignature = (head: ChainHead, text: string) =>
    verify(null, Buffer.from(text), publicKey, Buffer.from(head.signature, 'base64url'));
  const verifier = new ChainVerifier({ sha256, verifySignature, anchors });
  try {
    for (const entry of entries) {
      if ('event' in entry) verifier.event(entry.event);
      else verifier.head(entry.head);
    }
    return verifier.end();
  } catch (error) {
    if (error instanceof ChainBroken) return error;
    throw error;
  }
}

/** Repeatable chance (mulberry32). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** A value like this one, but not it. */
function other(value: unknown, pick: (below: number) => number): unknown {
  if (typeof value === 'number') return value + 1 + pick(3);
  if (typeof value === 'string') {
    const at = pick(Math.max(1, value.length - 1));
    // Not the last character: of base64url its low bits may say nothing.
    return value.slice(0, at) + (value[at] === 'x' ? 'y' : 'x') + value.slice(at + 1);
  }
  if (value === null) return { forged: true };
  if (Array.isArray(value)) return pick(2) === 0 ? [] : [...(value as unknown[]), ...(value as unknown[])];
  const members = Object.entries(value as Record<string, unknown>);
  const [name, member] = members[pick(members.length)]!;
  return { ...(value as object), [name]: other(member, pick) };
}

const kinds = ['edit', 'delete', 'insert', 'swap', 'move', 'truncate', 'recompute', 'sign-anew', 'drop-hash'] as const;

/** Tampers with the log once, in one of the ways that somebody with the database may think of. */
function tampered(entries: readonly Entry[], kind: (typeof kinds)[number], pick: (below: number) => number): Entry[] {
  const log = structuredClone(entries) as Entry[];
  const at = pick(log.length);
  const edit = (entry: Entry): Entry => {
    if ('event' in entry) {
      const names = Object.keys(entry.event) as (keyof ChainedEvent)[];
      const name = names.filter((one) => entry.event[one] !== null || one === 'detail')[pick(names.length - 3)] ?? 'at';
      return { event: { ...entry.event, [name]: other(entry.event[name], pick) } };
    }
    const names = ['batch', 'firstSequence', 'lastSequence', 'previousHash', 'hash', 'sealedAt', 'signature'] as const;
    const name = names[pick(names.length)]!;
    return { head: { ...entry.head, [name]: other(entry.head[name], pick) } };
  };
  switch (kind) {
    case 'edit':
      log[at] = edit(log[at]!);
      return log;
    case 'delete':
      log.splice(at, 1 + pick(3));
      return log;
    case 'insert':
      log.splice(at, 0, pick(2) === 0 ? log[pick(log.length)]! : edit(log[pick(log.length)]!));
      return log;
    case 'swap': {
      const to = (at + 1 + pick(log.length - 1)) % log.length;
      [log[at], log[to]] = [log[to]!, log[at]!];
      return log;
    }
    case 'move': {
      const [entry] = log.splice(at, 1);
      log.splice((at + 1 + pick(log.length - 1)) % (log.length + 1), 0, entry!);
      return log;
    }
    case 'truncate':
      return log.slice(0, at);
    case 'recompute':
    case 'sign-anew': {
      // The forger can hash, and writes every hash behind the edit anew; without our key, or with one of their own.
      const events = log.filter((entry) => 'event' in entry).length;
      const target = 1 + pick(events);
      let hash = genesisHash;
      let headHash = genesisHash;
      return log.map((entry) => {
        if ('event' in entry) {
          const changed = entry.event.sequence === target ? { ...entry.event, action: 'rule.deleted' } : entry.event;
          hash = chainHash(hash, changed, sha256);
          return { event: { ...changed, hash } };
        }
        const claims = { ...entry.head, previousHash: headHash, hash };
        headHash = hash;
        return { head: kind === 'recompute' ? claims : signed(claims, stranger) };
      });
    }
    case 'drop-hash': {
      const found = log.findIndex((entry) => 'event' in entry && entry.event.personalSha256 !== null);
      const { event } = log[found] as { event: ChainedEvent };
      log[found] = { event: { ...event, personal: null, personalSalt: null, personalSha256: null } };
      return log;
    }
  }
}

describe('the audit chain (I24)', () => {
  const log = aLog();
  const last = (log.at(-1) as { head: ChainHead }).head;
  const anchor = { sequence: last.lastSequence, hash: last.hash };

  it('is whole as it was sealed', () => {
    expect(verified(log, [anchor])).toEqual({ events: 30, heads: 3, erased: 0, lastSequence: 30, lastHash: last.hash });
    expect(verified([])).toMatchObject({ events: 0, heads: 0, lastHash: genesisHash });
  });

  it('shows each of 1,000 random tamperings', () => {
    const missed: unknown[] = [];
    const found = new Set<string>();
    for (let seed = 1; seed <= 1_000; seed++) {
      const kind = kinds[seed % kinds.length]!;
      const forged = tampered(log, kind, chance(seed));
      if (JSON.stringify(forged) === JSON.stringify(log)) throw new Error(`Seed ${seed} (${kind}) changes nothing.`);
      const result = verified(forged, [anchor]);
      if (result instanceof ChainBroken) found.add(`${kind} ${result.place}`);
      else missed.push({ seed, kind });
    }
    expect(missed).toEqual([]);
    expect(found.size).toBeGreaterThan(kinds.length);
  });

  it('names the first place that is broken', () => {
    const event = (sequence: number) => log.findIndex((entry) => 'event' in entry && entry.event.sequence === sequence);
    const edited = log.with(event(14), {
      event: { ...(log[event(14)] as { event: ChainedEvent }).event, at: 'never' },
    });
    expect(verified(edited)).toMatchObject({ place: 'event', number: 14 });
    expect(verified(log.toSpliced(event(7), 1))).toMatchObject({ place: 'event', number: 7 });
    expect(verified(log.toSpliced(event(7), 0, log[event(3)]!))).toMatchObject({ place: 'event', number: 7 });
    expect(verified(log.toSpliced(event(10) + 1, 1))).toMatchObject({ place: 'head', number: 1 });
    expect(verified(log.slice(0, -1))).toMatchObject({ place: 'head', number: 3 });
  });

  it('tells by an anchor that its end is missing, or that all of it was written anew', () => {
    const shorter = log.slice(0, 22);
    expect(verified(shorter)).toMatchObject({ events: 20 });
    expect(verified(shorter, [anchor])).toMatchObject({ place: 'event', number: 21 });
    expect(verified(aLog(10, 10), [{ sequence: 10, hash: last.hash }])).toMatchObject({ place: 'event', number: 10 });
  });

  it('stays whole when what names a person is erased, together with its salt', () => {
    const erased = log.map((entry) =>
      'event' in entry ? { event: { ...entry.event, personal: null, personalSalt: null } } : entry,
    );
    expect(verified(erased, [anchor])).toMatchObject({ events: 30, erased: 10 });
    const half = log.map((entry) => ('event' in entry ? { event: { ...entry.event, personal: null } } : entry));
    expect(verified(half)).toMatchObject({ place: 'event', number: 3 });
  });
});
