import { parseJsonObject, type JsonObject } from './strict-json.js';

/** The two readable parts of an ID token. */
export interface IdToken {
  /** As received: three parts in base64url. */
  readonly compact: string;
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Takes an ID token apart without believing any of it; null when it is not a signed JWT (RFC 7519 §3). */
export function decodeIdToken(compact: string): IdToken | null {
  const parts = compact.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return null;
  const header = decodePart(parts[0]);
  const claims = decodePart(parts[1]);
  return header === null || claims === null ? null : { compact, header, claims };
}

function decodePart(part = ''): JsonObject | null {
  try {
    return parseJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
  } catch {
    return null;
  }
}
