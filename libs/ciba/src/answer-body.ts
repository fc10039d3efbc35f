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

/**
 * Reads a body as a JSON object whatever its media type claims; null when it is none.
 *
 * Decompression stops at `maximumBytes`, so that a small answer cannot become a large one.
 */
export function decodeBody(body: Buffer, contentEncoding: string | null, maximumBytes: number): JsonObject | null {
  try {
    const plain = decompress(body, contentEncoding?.toLowerCase() ?? 'identity', maximumBytes);
    return plain && parseJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(plain));
  } catch {
    return null;
  }
}

function decompress(body: Buffer, encoding: string, maxOutputLength: number): Buffer | null {
  if (encoding === 'identity') return body;
  return decompressors.get(encoding)?.(body, { maxOutputLength }) ?? null;
}
