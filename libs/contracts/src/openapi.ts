import type { z } from 'zod';
import { scopes } from './api-clients.http.js';
import { webhookEnvelope } from './decision.js';
import { decisionExamples, noticeExamples, webhookExample } from './examples.js';
import { SchemaCollection, type JsonSchema } from './json-schema.js';
import { problemAdvice } from './problem-advice.js';
import { problem, problems, problemType, type ProblemCode } from './problem.js';
import {
  problemsOf,
  routes,
  routeTags,
  type RequestHeader,
  type ResponseHeader,
  type Route,
  type RouteAnswer,
} from './routes.js';
import { assentVersion } from './version.js';
import { decisionEventTypes, noticeTypes, type DecisionEventType, type NoticeType } from './webhook-endpoints.http.js';
import { noticeEnvelope, noticeSummaries } from './webhook-notices.js';

const string = (more: JsonSchema = {}): JsonSchema => ({ type: 'string', ...more });

const requestHeaders: Readonly<Record<RequestHeader, JsonSchema>> = {
  'Idempotency-Key': {
    description:
      'Makes the call repeatable: the same key with the same body gets the same answer, and nobody is asked twice. ' +
      'Kept for at least 24 hours.',
    schema: string({ minLength: 1, maxLength: 255 }),
    example: 'order-A-1042',
  },
  Prefer: {
    description: '`wait=<seconds>` (RFC 7240): how long the answer may wait for the decision, at most 60.',
    schema: string(),
    example: 'wait=30',
  },
  'If-Match': {
    description: 'The `ETag` that the change starts from; a change in the meantime is answered with 412.',
    schema: string(),
  },
  'If-None-Match': { description: 'The `ETag` that the caller has; 304 while it holds.', schema: string() },
  'Last-Event-ID': { description: 'The id of the last event that was received.', schema: string() },
  traceparent: { description: 'W3C trace context; goes with the request through every service.', schema: string() },
};

const responseHeaders: Readonly<Record<ResponseHeader, JsonSchema>> = {
  Location: { description: 'The path of what was created.', schema: string() },
  ETag: { description: 'The version; send it back as `If-Match` or `If-None-Match`.', schema: string() },
  'Retry-After': { description: 'Seconds to wait before asking again.', schema: { type: 'integer' } },
  Link: { description: '`rel="next"`: the next page (RFC 8288).', schema: string() },
  'Idempotent-Replayed': { description: '`true`: this call had been made before.', schema: string({ enum: ['true'] }) },
  'Request-Joined': {
    description: '`true`: an identical request waits for the person; this is that one.',
    schema: string({ enum: ['true'] }),
  },
  'Preference-Applied': { description: 'The part of `Prefer` that was followed.', schema: string() },
  'Cache-Control': { description: 'How long the answer may be kept.', schema: string() },
  RateLimit: {
    description:
      'What is left (`r`) of each limit that the call was counted against; where nothing is left, for how long (`t`, s). ' +
      'After 429: the limit that was met (draft-ietf-httpapi-ratelimit-headers).',
    schema: string(),
  },
  'RateLimit-Policy': {
    description: 'The same limits: quota (`q`) and window (`w`, s; none: until a request ends).',
    schema: string(),
  },
};

/** The HTTP API as an OpenAPI 3.1 document, made from the table of routes and the schemas. */
export function openApi(): JsonSchema {
  const schemas = new SchemaCollection();
  schemas.add(problem, 'output');
  const responses: Record<string, JsonSchema> = {};
  const paths: Record<string, JsonSchema> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, schemas, responses);
  }

  const webhooks = {
    ...Object.fromEntries(decisionEventTypes.map((type) => [type, decisionWebhook(type, schemas)])),
    ...Object.fromEntries(noticeTypes.map((type) => [type, noticeWebhook(type, schemas)])),
  };
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Assent',
      version: assentVersion,
      summary: 'One-time authorization over CIBA, as a service.',
      description:
        'An application is about to do something that one person must agree to, once. It asks Assent; Assent asks ' +
        'the person, on their own device, through the token provider (OpenID CIBA); the application gets one decision ' +
        'and can use an approval exactly once.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The address that served this document.' }],
    tags: Object.entries(routeTags).map(([name, description]) => ({ name, description })),
    security: [{ apiKey: [] }],
    paths,
    webhooks,
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            `An API key, or an access token (RFC 9068) of a trusted issuer. Its scopes decide what it may do: ` +
            `${scopes.map((scope) => `\`${scope}\``).join(', ')}.`,
        },
      },
      parameters: {
        id: {
          name: 'id',
          in: 'path',
          required: true,
          description: 'The id, as answered at creation.',
          schema: string({ format: 'uuid' }),
        },
        deliveryId: {
          name: 'deliveryId',
          in: 'path',
          required: true,
          description: 'The id of a delivery, as listed.',
          schema: string({ format: 'uuid' }),
        },
        code: {
          name: 'code',
          in: 'path',
          required: true,
          description: 'The `code` of a problem document.',
          schema: string({ enum: Object.keys(problems) }),
        },
        ...Object.fromEntries(
          Object.entries(requestHeaders).map(([name, header]) => [name, { name, in: 'header', ...header }]),
        ),
      },
      headers: responseHeaders,
      responses: Object.fromEntries(Object.entries(responses).sort(([a], [b]) => (a < b ? -1 : 1))),
      schemas: schemas.sorted(),
    },
  };
}

function operation(route: Route, schemas: SchemaCollection, responses: Record<string, JsonSchema>): JsonSchema {
  const parameters = [
    ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ $ref: `#/components/parameters/${name}` })),
    ...(route.requestHeaders ?? []).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ...(route.query ? queryParameters(route.query, schemas) : []),
  ];
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...describe(route),
    security: route.scope === null ? [] : [{ apiKey: [route.scope] }],
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && {
      requestBody: {
        required: route.body.required,
        content: bodyContent(route.method, {
          schema: schemas.add(route.body.schema, 'input'),
          examples: namedExamples(route.body.examples),
        }),
      },
    }),
    responses: {
      ...Object.fromEntries(route.answers.map((answer) => [answer.status, answerObject(answer, schemas)])),
      ...problemAnswers(route, responses),
    },
  };
}

function describe({ description, repeated }: Route): { description?: string } {
  const sentences = [description, repeated && `A repeated call ${repeated}`].filter((text) => text !== undefined);
  return sentences.length === 0 ? {} : { description: sentences.join(' ') };
}

// A merge patch may also come under its own media type (RFC 7396).
const bodyContent = (method: Route['method'], content: JsonSchema): JsonSchema => ({
  ...(method === 'PATCH' && { 'application/merge-patch+json': content }),
  'application/json': content,
});

function queryParameters(query: z.ZodObject, schemas: SchemaCollection): JsonSchema[] {
  const { properties, required = [] } = schemas.add(query, 'input') as {
    properties: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
}

function answerObject(answer: RouteAnswer, schemas: SchemaCollection): JsonSchema {
  const mediaType = answer.mediaType ?? (answer.schema ? 'application/json' : null);
  const isJson = mediaType?.endsWith('json') === true;
  return {
    description: answer.description,
    ...(answer.headers && {
      headers: Object.fromEntries(answer.headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    }),
    ...(mediaType !== null && {
      content: {
        [mediaType]: {
          schema: answer.schema ? schemas.add(answer.schema, 'output') : isJson ? { type: 'object' } : string(),
          ...(answer.examples && { examples: namedExamples(answer.examples) }),
        },
      },
    }),
  };
}

/** One response per status, with the codes that it can carry; those that are the same are one component. */
function problemAnswers(route: Route, responses: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(route)) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const answers = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    answers.map(([status, unsorted]) => {
      const codes = unsorted.sort();
      const name = `${status}.${codes.join('.')}`;
      responses[name] ??= problemAnswer(status, codes);
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
}

function problemAnswer(status: number, codes: readonly ProblemCode[]): JsonSchema {
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join(' '),
    ...(answerHeaders(status) && { headers: answerHeaders(status) }),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { type: 'string', enum: codes } } }],
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  };
}

const problemExample = (code: ProblemCode): JsonSchema => ({
  type: problemType(code),
  ...problems[code],
  detail: `${problemAdvice[code].when} ${problemAdvice[code].remedy}`,
  code,
});

/** What a problem answer of this status carries beside its body. */
function answerHeaders(status: number): JsonSchema | undefined {
  const names: ResponseHeader[] = status === 429 ? ['Retry-After', 'RateLimit', 'RateLimit-Policy'] : ['Retry-After'];
  if (status !== 429 && status !== 503) return undefined;
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function decisionWebhook(type: DecisionEventType, schemas: SchemaCollection): JsonSchema {
  const outcome = type.replace('decision.', '');
  return webhook({
    operationId: `on${outcome[0]!.toUpperCase()}${outcome.slice(1)}`,
    summary: `A request ended ${outcome}`,
    description:
      'Sent to every webhook endpoint that chose this event, and to the `callbackUrl` of the request. Signed as ' +
      'Standard Webhooks says; delivered at least once, always under the same `webhook-id`.',
    id: 'The id of the decision: the key for telling duplicates.',
    content: {
      schema: schemas.add(webhookEnvelope, 'output'),
      examples: namedExamples({ [outcome]: { ...webhookExample, type, data: decisionExamples[type] } }),
    },
  });
}

function noticeWebhook(type: NoticeType, schemas: SchemaCollection): JsonSchema {
  return webhook({
    operationId: `on${type.replace(/(?:^|[._])(.)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: noticeSummaries[type],
    description: 'Sent to every webhook endpoint that chose this event, signed and retried like a decision.',
    id: 'The id of the notice: the key for telling duplicates.',
    content: {
      schema: schemas.add(noticeEnvelope(type), 'output'),
      examples: namedExamples({
        notice: { type, timestamp: webhookExample.timestamp, data: noticeExamples[type] },
      }),
    },
  });
}

interface WebhookTexts {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  /** What the `webhook-id` is. */
  readonly id: string;
  readonly content: JsonSchema;
}

function webhook({ operationId, summary, description, id, content }: WebhookTexts): JsonSchema {
  const header = (name: string, required: boolean, meaning: string) => ({
    name,
    in: 'header',
    ...(required && { required }),
    description: meaning,
    schema: string(),
  });
  return {
    post: {
      operationId,
      tags: ['Webhook endpoints'],
      summary,
      description,
      security: [],
      parameters: [
        header('webhook-id', true, id),
        header('webhook-timestamp', true, 'When this attempt was made, in seconds since the epoch.'),
        header('webhook-signature', true, '`v1,…` (HMAC-SHA256) and `v1a,…` (Ed25519), separated by blanks.'),
        header('webhook-key-id', false, 'The `kid` of the key of a `v1a` signature in `/.well-known/jwks.json`.'),
      ],
      requestBody: { required: true, content: { 'application/json': content } },
      responses: {
        '2XX': { description: 'Received. Any other answer, or none in time, is tried again later.' },
        '410': { description: 'Gone: this delivery is not tried again, and a webhook endpoint is disabled.' },
      },
    },
  };
}

const namedExamples = (examples: Readonly<Record<string, unknown>>): JsonSchema =>
  Object.fromEntries(Object.entries(examples).map(([name, value]) => [name.replaceAll(' ', '-'), { value }]));
