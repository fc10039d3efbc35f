import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { auditEvent, auditHead, type AuditEvent, type AuditHead } from '#lib/contracts';
import { z } from 'zod';
import type { AssentApi } from './assent-api.js';
import { readText, unreadable } from './read-text.js';
import { CommandProblem, type Surroundings } from './terminal.js';

/** A line of an exported log. */
const auditLine = z.union([z.strictObject({ event: auditEvent }), z.strictObject({ head: auditHead })]);
export type AuditLine = { readonly event: AuditEvent } | { readonly head: AuditHead };

/** Public keys by their id. */
export type TrustedKeys = ReadonlyMap<string, JsonWebKey>;

const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.string() })) });

/** @throws CommandProblem for what is no key set */
export function trustedKeys(document: unknown, from: string): TrustedKeys {
  const read = keySet.safeParse(document);
  if (!read.success) throw new CommandProblem(`${from} is not a key set (RFC 7517).`);
  return new Map(read.data.keys.map((key) => [key.kid, key as JsonWebKey]));
}

/** @throws CommandProblem */
export async function keysFromFile(path: string): Promise<TrustedKeys> {
  const text = await readText(path);
  try {
    return trustedKeys(JSON.parse(text), path);
  } catch (error) {
    if (error instanceof CommandProblem) throw error;
    throw new CommandProblem(`${path} is not JSON.`);
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Whether the head is signed over exactly this text, Ed25519, by a key that is trusted. */
export function isSignedBy(keys: TrustedKeys, { kid, signature }: AuditHead, text: string): boolean {
  const key = keys.get(kid);
  const [header, payload, bytes, ...rest] = signature.split('.');
  if (key?.kty !== 'OKP' || key.crv !== 'Ed25519' || bytes === undefined || rest.length > 0) return false;
  if (payload !== Buffer.from(text).toString('base64url')) return false;
  const input = Buffer.from(`${header}.${payload}`);
  return verify(null, input, createPublicKey({ key, format: 'jwk' }), Buffer.from(bytes, 'base64url'));
}

/** The log over the API: each head after its last event, which is the order in which it is verified. */
export async function* logOfApi(api: AssentApi): AsyncGenerator<AuditLine> {
  const heads = api.auditHeads();
  let head = await heads.next();
  // Heads that came after the last page of events belong to events that nobody has asked for.
  for await (const event of api.auditEvents()) {
    yield { event };
    while (!head.done && event.sequence! >= head.value.lastSequence) {
      yield { head: head.value };
      head = await heads.next();
    }
  }
  if (!head.done) yield { head: head.value };
}

/**
 * The log in a file of lines, or in what is piped in (`-`).
 *
 * @throws CommandProblem
 */
export async function* logOfFile(path: string, { input }: Surroundings): AsyncGenerator<AuditLine> {
  const stream = path === '-' ? input : createReadStream(path);
  if (stream === undefined) throw new CommandProblem('There is nothing to read: pipe an exported log in.');
  let number = 0;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (line.trim() === '') continue;
      yield parsed(line, number);
    }
  } catch (error) {
    if (error instanceof CommandProblem) throw error;
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
}

function parsed(line: string, number: number): AuditLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new CommandProblem(`Line ${number} is not JSON.`);
  }
  const read = auditLine.safeParse(value);
  if (!read.success) throw new CommandProblem(`Line ${number} is neither an event nor a head of an audit log.`);
  return read.data;
}
