import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** JSON in which `{{names}}` and objects with one `$name` stand for what is only known at run time; see hostile-answers.ts. */
const json = z.json();
const members = z.record(z.string(), json);

/** How the ID token in a token answer differs from one that is in order. */
const idTokenFaults = z.strictObject({
  claims: members.optional(),
  header: members.optional(),
  key: z
    .enum(['own', 'stranger', 'rsa', 'pss', 'ed25519', 'p384', 'weak-rsa', 'client-secret', 'public-key'])
    .optional(),
  /** Signed in place of the header or the claims, as it is. */
  rawHeader: z.string().optional(),
  rawClaims: z.string().optional(),
  /** What becomes of the signature. */
  signature: z.enum(['none', 'zeros', 'short', 'changed', 'of-other-claims']).optional(),
  /** Put before and behind the compact token. */
  before: z.string().optional(),
  behind: z.string().optional(),
  /** The first ID token of this case once more. */
  again: z.boolean().optional(),
});

/** One answer: a shorthand (`ack`, `tokens`, `error`, `keys`, `metadata`) or `json`, `body`, `base64` or `raw`, and how it travels. */
const reply = z.strictObject({
  status: z.number().int().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** The usual acknowledgement, with these members changed. */
  ack: members.optional(),
  /** The usual token answer, with these members changed. */
  tokens: members.optional(),
  idToken: idTokenFaults.optional(),
  /** Status 400 and an error object. */
  error: json.optional(),
  description: z.string().optional(),
  /** A key document: names of keys, or JWKs; `of` takes a key and changes members. */
  keys: z.array(z.union([z.string(), members])).optional(),
  /** The usual metadata, with these members changed. */
  metadata: members.optional(),
  json: json.optional(),
  body: z.string().optional(),
  base64: z.string().optional(),
  raw: z.string().optional(),
  /** Put before and behind the body. */
  before: z.string().optional(),
  behind: z.string().optional(),
  /** Compresses the body and says so. */
  gzip: z.boolean().optional(),
  delayMs: z.number().optional(),
  cutAfterBytes: z.number().optional(),
  reset: z.boolean().optional(),
  hang: z.boolean().optional(),
  stall: z.boolean().optional(),
  /** This answer is given from now on. */
  repeat: z.boolean().optional(),
});

/** A call of the provider to our notification endpoint. */
const notification = z.strictObject({
  when: z.enum(['before-ack', 'after-ack', 'after-end']),
  afterMs: z.number().optional(),
  times: z.number().int().optional(),
  method: z.string().optional(),
  /** The whole authorization header; `{{notificationToken}}` stands for the right one. Null sends none. */
  authorization: z.string().nullable().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  json: json.optional(),
  body: z.string().optional(),
  /** The members of a push with tokens. */
  tokens: members.optional(),
  idToken: idTokenFaults.optional(),
  status: z.number().int(),
});

const end = z.strictObject({
  status: z.enum(['approved', 'denied', 'expired', 'failed']),
  reason: z.string().nullable(),
});

export const categories = ['backchannel', 'token', 'jwks', 'discovery', 'transport', 'tls', 'ping', 'push'] as const;

const hostileCase = z.strictObject({
  name: z.string().min(1),
  category: z.enum(categories),
  /** Hangs on one poll in the last moment before the deadline, which a crowd of other cases would make too late: goes before them. */
  alone: z.literal(true).optional(),
  /** Members of the rule and of the token provider that differ from the usual ones. */
  rule: members.optional(),
  tokenProvider: members.optional(),
  /** What the provider answers, call by call. After the last one: documents repeat it, start calls are acknowledged, the grant is gone. */
  start: z.array(reply).optional(),
  token: z.array(reply).optional(),
  jwks: z.array(reply).optional(),
  discovery: z.array(reply).optional(),
  /** Speaks https with such a certificate. */
  tls: z
    .enum(['valid', 'expired', 'wrong-name', 'unknown-authority', 'self-signed', 'old-protocol', 'plain-http'])
    .optional(),
  notify: z.array(notification).optional(),
  /** A first request that has to end like this before the one that counts is made. */
  first: end.optional(),
  expected: end,
  /** How often the provider is asked at most; once each when left out for start calls. */
  starts: z.number().int().optional(),
  polls: z.number().int().optional(),
});

export type HostileReply = z.output<typeof reply>;
export type HostileIdToken = z.output<typeof idTokenFaults>;
export type HostileNotification = z.output<typeof notification>;
export type HostileEnd = z.output<typeof end>;
/** What a provider does, and how a request has to end then. */
export type HostileCase = z.output<typeof hostileCase>;

/** Reads the cases of a file; a member that means nothing is refused, so that no case tests less than it says. */
export function readHostileCases(path: string): HostileCase[] {
  return z.array(hostileCase).parse(JSON.parse(readFileSync(path, 'utf8')));
}
