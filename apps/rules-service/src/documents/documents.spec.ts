import { problems, problemType, routes, type ProblemCode } from '#lib/contracts';
import { describe, expect, it } from '@jest/globals';
import { DocumentsController } from './documents.controller.js';
import { html, jsonBlock, prose } from './html.js';

const documents = new DocumentsController();
const pages = [
  ['/docs', documents.reference()],
  ['/docs/events', documents.events()],
  ['/docs/errors', documents.errors()],
  ['/docs/errors/prompt_limit', documents.error('prompt_limit')],
  ['/docs/errors/method_not_allowed', documents.error('method_not_allowed')],
] as const;

const idsIn = (page: string): string[] => [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);

describe.each(pages)('the page %s', (_, page) => {
  it('needs nothing but its style sheet', () => {
    expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=|<img|<iframe/i);
    const loaded = [...page.matchAll(/(?:src|<link[^>]*href)="([^"]*)"/g)].map(([, address]) => address);
    expect(loaded).toEqual(['/docs/reference.css']);
  });

  it('has every anchor once, and every link leads to one', () => {
    const ids = idsIn(page);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...page.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id!);
    expect(targets.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('links to pages that there are', () => {
    const addresses = [...page.matchAll(/href="(\/[^"#]*)(?:#([^"]*))?"/g)];
    const served = routes.map(({ path }) => path);
    const codes = Object.keys(problems).map((code) => problemType(code as ProblemCode));
    expect(addresses.map(([, path]) => path!).filter((path) => ![...served, ...codes].includes(path))).toEqual([]);
  });
});

it('explains every problem code where the type of a problem leads', () => {
  expect(idsIn(documents.errors())).toEqual(expect.arrayContaining(Object.keys(problems)));
  for (const code of Object.keys(problems)) expect(documents.error(code)).toContain(`<h1>${code}</h1>`);
  for (const code of ['', 'no_such_code', 'toString', '__proto__']) {
    expect(() => documents.error(code)).toThrow(/no such problem code/);
  }
});

it('describes every route where its operation id leads', () => {
  expect(idsIn(documents.reference())).toEqual(expect.arrayContaining(routes.map(({ operationId }) => operationId)));
});

it('answers the same documents to programs', () => {
  expect(JSON.parse(documents.openApi())).toMatchObject({ openapi: '3.1.0' });
  expect(JSON.parse(documents.asyncApi())).toMatchObject({ asyncapi: '3.0.0' });
});

describe('html', () => {
  it('escapes what is put in, but not what is HTML already', () => {
    expect(html`<p title="${'"'}">${'<b>&'}${html`<i>${"'"}</i>`}</p>`.text).toBe(
      '<p title="&#34;">&#60;b&#62;&#38;<i>&#39;</i></p>',
    );
  });

  it('joins lists and leaves out what is not there', () => {
    expect(html`${['a', null, false, undefined, 0]}`.text).toBe('a0');
  });

  it('shows code between backticks, and JSON as it is', () => {
    expect(prose('Send `a<b`.').text).toBe('Send <code>a&#60;b</code>.');
    const shown = jsonBlock({ a: ['x"y', 1, true, null] }).text.replace(/<[^>]*>/g, '');
    expect(JSON.parse(shown.replaceAll('&#34;', '"'))).toEqual({ a: ['x"y', 1, true, null] });
  });
});
