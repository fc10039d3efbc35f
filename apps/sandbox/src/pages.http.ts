import type { ServerResponse } from 'node:http';
import { readStaticFiles } from './static-files.js';
import { HttpProblem, send, sendJson, type PageRouter } from './web.js';

const files = readStaticFiles();

/** The start page, the description for scripts, and the styles and scripts of all pages. */
export function addPageRoutes(router: PageRouter, description: object): void {
  router
    .get('/', ({ res }) => sendPage(res, 'sandbox.html'))
    .get('/favicon.ico', ({ res }) => sendAsset(res, 'icon.svg'))
    .get('/sandbox.json', ({ res }) => sendJson(res, 200, description))
    .get('/assets/:name', ({ res, params }) => sendAsset(res, params.name ?? ''));
}

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
