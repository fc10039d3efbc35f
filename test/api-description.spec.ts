import { asyncApi, openApi, problems } from '#lib/contracts';
import { describe, expect, it } from '@jest/globals';
import type { AnySchemaObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** What the official schemas do not demand of a description, and readers and generators of clients do. */

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema?: object;
}
interface Content {
  readonly schema?: object;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Response {
  readonly $ref?: string;
  readonly description: string;
  readonly headers?: object;
  readonly content?: Readonly<Record<string, Content>>;
}
interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, Response>>;
}
interface Description {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly webhooks: Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

// As a program reads it.
const document = JSON.parse(JSON.stringify(openApi())) as Description;
const at = <Thing>(thing: Thing & { readonly $ref?: string }): Thing => {
  if (thing.$ref === undefined) return thing;
  let place: unknown = document;
  for (const key of thing.$ref.slice(2).split('/')) place = (place as Record<string, unknown>)[key];
  return place as Thing;
};
const operations = [
  ...Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  ),
  ...Object.entries(document.webhooks).map(([name, { post }]) => ({
    name: `webhook ${name}`,
    path: '',
    operation: post,
  })),
];
const contentsOf = ({ requestBody, responses }: Operation): [string, Content][] =>
  [requestBody, ...Object.values(responses).map((response) => at(response))].flatMap((part) =>
    Object.entries(part?.content ?? {}),
  );

/** Whether JSON of this schema is a list, by itself or as its member `data`. */
function isList(schema: object | undefined): boolean {
  if (schema === undefined) return false;
  const { type, properties } = at(schema as { $ref?: string; type?: string; properties?: { data?: object } });
  return type === 'array' || isArray(properties?.data);
}
const isArray = (schema: object | undefined): boolean =>
  schema !== undefined && at(schema as { $ref?: string; type?: string }).type === 'array';

// The components once, and each schema once: most operations answer the same problems.
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: 'api', components: document.components });
const compiled = new Map<string, ValidateFunction>();
const complaints = (schema: object, value: unknown): string[] => {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"api#/');
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as AnySchemaObject);
  compiled.set(text, validate);
  void validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

describe('the HTTP API description, linted', () => {
  it('gives every operation a summary without a full stop, one known tag, and a declared security', () => {
    const tags = document.tags.map(({ name }) => name);
    for (const { name, operation } of operations) {
      expect({ name, summary: operation.summary }).toEqual({ name, summary: expect.stringMatching(/^[A-Z].*[^.]$/) });
      expect({ name, tags: operation.tags.filter((tag) => tags.includes(tag)).length }).toEqual({ name, tags: 1 });
      for (const requirement of operation.security ?? []) {
        for (const scheme of Object.keys(requirement)) {
          expect(Object.keys(document.components['securitySchemes']!)).toContain(scheme);
        }
      }
    }
  });

  it('declares and describes every parameter, those of the path exactly', () => {
    for (const { name, path, operation } of operations) {
      const parameters = (operation.parameters ?? []).map((parameter) => at(parameter));
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name);
      expect({ name, inPath }).toEqual({ name, inPath: [...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one) });
      for (const parameter of parameters) {
        const { description = '', schema } = parameter;
        expect({ name, parameter: parameter.name, described: description !== '' && schema !== undefined }).toEqual({
          name,
          parameter: parameter.name,
          described: true,
        });
      }
    }
  });

  it('shows an example of every JSON body, each fit for its schema', () => {
    for (const { name, operation } of operations) {
      for (const [mediaType, { schema, examples = {} }] of contentsOf(operation)) {
        if (schema === undefined || !mediaType.endsWith('json') || name.includes('.json')) continue;
        expect({ name, mediaType, examples: Object.keys(examples).length > 0 }).toEqual({
          name,
          mediaType,
          examples: true,
        });
        for (const [key, { value }] of Object.entries(examples)) {
          expect({ name, mediaType, key, complaints: complaints(schema, value) }).toEqual({
            name,
            mediaType,
            key,
            complaints: [],
          });
        }
      }
    }
  });

  it('answers every error as a problem document, and describes every answer', () => {
    for (const { name, operation } of operations.filter(({ path }) => path !== '' && path !== '/health/ready')) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const { description, content = {} } = at(response);
        expect({ name, status, described: description !== '' }).toEqual({ name, status, described: true });
        if (Number(status) >= 400) {
          expect({ name, status, content: Object.keys(content) }).toEqual({
            name,
            status,
            content: ['application/problem+json'],
          });
        }
      }
    }
  });

  it('pages every list by the same parameters, or says why there is no next page', () => {
    const get = operations.filter(({ name }) => name.startsWith('get '));
    const lists = get.filter(({ operation }) => contentsOf(operation).some(([, { schema }]) => isList(schema)));
    expect(lists.length).toBeGreaterThan(10);
    const paging = (operation: Operation) =>
      (operation.parameters ?? []).map((one) => at(one)).filter(({ name }) => ['limit', 'cursor'].includes(name));
    const rules = paging(operations.find(({ name }) => name === 'get /v1/rules')!.operation);
    expect(rules).toHaveLength(2);
    for (const { name, operation } of lists) {
      const explained = /no next page/.test(JSON.stringify(operation));
      const link = Object.hasOwn(at(operation.responses['200']!).headers ?? {}, 'Link');
      const told = explained ? { name, paging: 'explained', link } : { name, paging: paging(operation), link };
      expect(told).toEqual({ name, paging: explained ? 'explained' : rules, link: !explained });
    }
  });

  it('lets every mutation be repeated: under a key, by its nature, or with a word on what a second call does', () => {
    const mutations = operations.filter(({ name, path }) => path !== '' && !name.startsWith('get '));
    expect(mutations.length).toBeGreaterThan(30);
    for (const { name, operation } of mutations) {
      const headers = (operation.parameters ?? []).map((one) => at(one).name);
      const how = [
        headers.includes('Idempotency-Key') && 'key',
        // RFC 9110 §9.2.2; a merge patch (RFC 7396) that comes a second time finds nothing to change.
        /^(put|delete) /.test(name) && 'nature',
        Object.hasOwn(operation.requestBody?.content ?? {}, 'application/merge-patch+json') && 'merge patch',
        /A repeated call \S/.test(operation.description ?? '') && 'told',
      ].filter(Boolean);
      expect({ name, how }).not.toEqual({ name, how: [] });
    }
  });

  it('holds no component that nobody refers to', () => {
    const text = JSON.stringify(document);
    for (const kind of ['schemas', 'responses', 'parameters', 'headers']) {
      const unused = Object.keys(document.components[kind]!).filter(
        (name) => !text.includes(`"#/components/${kind}/${name}"`),
      );
      expect({ kind, unused }).toEqual({ kind, unused: [] });
    }
  });

  it('names only codes that the catalogue has', () => {
    const codes = [...JSON.stringify(document.components['responses']).matchAll(/"code":"(\w+)"/g)].map(
      ([, code]) => code!,
    );
    expect(codes.filter((code) => !Object.hasOwn(problems, code))).toEqual([]);
  });
});

describe('the event description, linted', () => {
  const events = JSON.parse(JSON.stringify(asyncApi())) as {
    readonly channels: Readonly<Record<string, { readonly description: string; readonly messages: object }>>;
    readonly operations: Readonly<
      Record<string, { readonly summary: string; readonly channel: { readonly $ref: string } }>
    >;
    readonly components: { readonly messages: Readonly<Record<string, { readonly examples?: readonly object[] }>> };
  };

  it('shows an example of every message, and offers each message on a channel', () => {
    const offered = Object.values(events.channels).flatMap(({ messages }) => Object.keys(messages));
    for (const [name, { examples = [] }] of Object.entries(events.components.messages)) {
      expect({ name, examples: examples.length }).toEqual({ name, examples: 1 });
      expect(offered).toContain(name);
    }
  });

  it('describes every channel and operation', () => {
    for (const { description } of Object.values(events.channels)) expect(description).not.toBe('');
    for (const { summary, channel } of Object.values(events.operations)) {
      expect(summary).not.toBe('');
      expect(Object.keys(events.channels)).toContain(channel.$ref.split('/').at(-1));
    }
  });
});
