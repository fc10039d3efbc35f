import type { ServerResponse } from 'node:http';
import type { SandboxMtls } from './sandbox.js';
import { readStaticFiles } from './static-files.js';
import { HttpProblem, send, sendJson, type PageRouter } from './web.js';

const files = readStaticFiles();

/** The start page, the description for scripts, and the styles and scripts of all pages. */
export function addPageRoutes(router: PageRouter, description: { readonly mtls: SandboxMtls }): void {
  const pems = pemFiles(description.mtls);
  router
    .get('/', ({ res }) => sendPage(res, 'sandbox.html'))
    .get('/favicon.ico', ({ res }) => sendAsset(res, 'icon.svg'))
    .get('/sandbox.json', ({ res }) => sendJson(res, 200, description))
    .get('/certificates/:name', ({ res, params }) => {
      const pem = pems.get(params['name'] ?? '');
      if (pem === undefined) throw new HttpProblem(404, 'not_found', `There are ${[...pems.keys()].join(', ')}.`);
      send(res, 200, 'application/x-pem-file', pem);
    })
    .get('/assets/:name', ({ res, params }) => sendAsset(res, params.name ?? ''));
}

/** What `sandbox.json` holds, as files for whoever has no program at hand that takes JSON apart. */
const pemFiles = (mtls: SandboxMtls): ReadonlyMap<string, string> =>
  new Map([
    ['authority.pem', mtls.caCertificatePem],
    ['client.pem', mtls.clientCertificatePem],
    ['client-key.pem', mtls.clientPrivateKeyPem],
    ['self-signed-client.pem', mtls.selfSignedCertificatePem],
    ['self-signed-client-key.pem', mtls.selfSignedPrivateKeyPem],
  ]);

/** Sends a page with each `{{name}}` replaced by its value, escaped. */
export function sendPage(res: ServerResponse, name: string, values: Readonly<Record<string, string>> = {}): void {
  const { contentType, content } = readFile(name);
  const page = content.replace(/\{\{(\w+)\}\}/g, (_match, key: string) => escapeHtml(values[key] ?? ''));
  send(res, 200, contentType, page);
}

function sendAsset(res: ServerResponse, name: string): void {
  if (name.endsWith('.html')) throw new HttpProblem(404, 'not_found', 'Pages have their own addresses.');
  const { contentType, content } = readFile(name);
  send(res, 200, contentType, content);
}

function readFile(name: string): { contentType: string; content: string } {
  const file = files.get(name);
  if (!file) throw new HttpProblem(404, 'not_found', 'There is no such file.');
  return file;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
