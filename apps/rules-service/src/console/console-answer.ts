import type { Answer } from '../http/answer.js';
import type { ConsoleFile, ConsoleFiles } from './console-files.js';

/** What the build has put in the place of the nonce. */
const nonceMark = /ASSENT_CSP_NONCE/g;

/** Pages of its own origin and policy: what administrators write is shown in it, and does nothing. */
const frame = 'preview-frame';

/** The console needs its own scripts and styles, its own API, and nothing else from anywhere. */
const consolePolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const framePolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
    'sandbox allow-scripts',
  ].join('; ');

/**
 * The answer to a GET below `/console`: a file, or the page that the browser's part of the console makes of any other
 * address; null: there is no such thing.
 *
 * @param path below `/console/`, as it came
 * @param nonce made for this answer alone
 */
export function consoleAnswer(
  files: ConsoleFiles,
  request: { readonly path: string; readonly acceptEncoding: string },
  nonce: string,
): Answer<Buffer | string> | null {
  const { path, acceptEncoding } = request;
  const file = files.get(path);
  if (file && !path.endsWith('.html')) return fileAnswer(file, path, acceptEncoding);
  // What is asked of the API, or for a file of another version, is no page.
  if (/^(api|assets)(\/|$)/.test(path) || /\.[a-z0-9]+$/i.test(path)) return null;
  const page = files.get(path === frame ? `${frame}.html` : 'index.html');
  if (!page) return null;
  return {
    status: 200,
    headers: {
      'content-type': page.contentType,
      'content-security-policy': path === frame ? framePolicy(nonce) : consolePolicy(nonce),
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
      'cache-control': 'no-store',
    },
    body: page.content.toString('utf8').replace(nonceMark, nonce),
  };
}

function fileAnswer(file: ConsoleFile, path: string, acceptEncoding: string): Answer<Buffer> {
  const accepts = (coding: string): boolean => acceptEncoding.split(',').some((one) => one.trim() === coding);
  const encoded =
    file.br && accepts('br')
      ? { coding: 'br', content: file.br }
      : file.gzip && accepts('gzip')
        ? { coding: 'gzip', content: file.gzip }
        : null;
  return {
    status: 200,
    headers: {
      'content-type': file.contentType,
      vary: 'accept-encoding',
      // The names in this folder hold a hash of the content.
      'cache-control': path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
      // An opaque origin may load the script of the frame.
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
      ...(encoded && { 'content-encoding': encoded.coding }),
    },
    body: encoded?.content ?? file.content,
  };
}
