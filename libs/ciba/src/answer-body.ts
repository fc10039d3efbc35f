import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { parseJsonObject, type JsonObject } from './strict-json.js';

type Decompress = (body: Buffer, options: { maxOutputLength: number }) => Buffer;

/** We ask for no compression; an intermediary may compress all the same. */
const decompressors: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflateSync],
  ['br', brotliDecompressSync],
]);

/** Refuses what is not UTF-8; one for all, since making one costs more than using it. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Answers of up to so many bytes are compared with the one before. */
const comparedBytes = 512;

/**
 * The last short error: "not yet" comes in the same bytes poll after poll, and reading strictly takes longer than
 * comparing. Of a body that says `error` nothing is secret, and nobody can change what was read.
 */
let lastError: { readonly bytes: Buffer; readonly read: JsonObject } | null = null;

/**
 * Reads a body as a JSON object whatever its media type claims; null when it is none.
 *
 * Decompression stops at `maximumBytes`, so that a small answer cannot become a large one.
 */
export function decodeBody(body: Buffer, contentEncoding: string | null, maximumBytes: number): JsonObject | null {
  const asIs = contentEncoding === null;
  if (asIs && lastError?.bytes.equals(body) === true) return lastError.read;
  try {
    const plain = decompress(body, contentEncoding?.toLowerCase() ?? 'identity', maximumBytes);
    const read = plain && parseJsonObject(utf8.decode(plain));
    if (asIs && body.length <= comparedBytes && isOnlyError(read)) lastError = { bytes: Buffer.from(body), read };
    return read;
  } catch {
    return null;
  }
}

const isOnlyError = (read: JsonObject | null): read is JsonObject =>
  read !== null && read.has('error') && [...read.values()].every((value) => typeof value === 'string');

function decompress(body: Buffer, encoding: string, maxOutputLength: number): Buffer | null {
  if (encoding === 'identity') return body;
  return decompressors.get(encoding)?.(body, { maxOutputLength }) ?? null;
}
