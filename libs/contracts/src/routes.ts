import type { z } from 'zod';
import {
  apiClient,
  apiClientBody,
  apiClientPatch,
  createdApiClient,
  rotatedApiClient,
  rotateKeyBody,
  type Scope,
} from './api-clients.http.js';
import { auditEvent, auditEventsQuery, auditHead } from './audit.http.js';
import {
  authorizationRequest,
  consumeBody,
  consumption,
  listAuthorizationRequestsQuery,
  submitAuthorizationRequestBody,
  timeline,
  waitQuery,
} from './authorization-requests.http.js';
import { cibaNotification } from './ciba-notifications.http.js';
import {
  configurationApplyBody,
  configurationDiff,
  configurationDiffBody,
  configurationResult,
  exportConfigurationQuery,
  exportedConfiguration,
} from './configuration.http.js';
import { deadLetter, deadLettersQuery, replayBody, replayResult } from './dead-letters.http.js';
import { erasure, erasureBody } from './erasures.http.js';
import * as examples from './examples.js';
import { certificateReplacement, certificateRequest, keyPair, keyPairImport, keyPairPatch } from './key-pairs.http.js';
import { masterKeyList } from './master-keys.http.js';
import { page, pageQuery } from './paging.http.js';
import { pingAccessImport, pingAccessImportBody } from './pingaccess/import.http.js';
import type { ProblemCode } from './problem.js';
import { rejectionHandler, rejectionHandlerBody, rejectionHandlerPatch } from './rejection-handlers.http.js';
import { rule, ruleBody, rulePatch, rulePreview, rulePreviewBody } from './rules.http.js';
import { signingKeyList } from './signing-keys.http.js';
import { providerCheck, tokenProvider, tokenProviderBody, tokenProviderPatch } from './token-providers.http.js';
import {
  createdWebhookEndpoint,
  deliveriesQuery,
  delivery,
  replayDeliveriesBody,
  replayedDeliveries,
  rotateSecretBody,
  webhookEndpoint,
  webhookEndpointBody,
  webhookEndpointPatch,
} from './webhook-endpoints.http.js';

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request header that some routes understand; described once in the API description. */
export type RequestHeader =
  'Idempotency-Key' | 'Prefer' | 'If-Match' | 'If-None-Match' | 'Last-Event-ID' | 'traceparent';

/** A response header that some answers carry. */
export type ResponseHeader =
  | 'Location'
  | 'ETag'
  | 'Retry-After'
  | 'Link'
  | 'Idempotent-Replayed'
  | 'Request-Joined'
  | 'Preference-Applied'
  | 'Cache-Control'
  | 'RateLimit'
  | 'RateLimit-Policy';

/** One answer that is not a problem. */
export interface RouteAnswer {
  readonly status: number;
  readonly description: string;
  /** None: the answer has no body. */
  readonly schema?: z.ZodType;
  /** Default `application/json`. */
  readonly mediaType?: string;
  readonly headers?: readonly ResponseHeader[];
  readonly examples?: Readonly<Record<string, unknown>>;
}

/** One route of the HTTP API: what OpenAPI, the reference page and the tests know about it. */
export interface Route {
  readonly operationId: string;
  readonly method: RouteMethod;
  /** With `{name}` for path parameters. */
  readonly path: string;
  readonly tag: RouteTag;
  readonly summary: string;
  readonly description?: string;
  /** Of a POST without an `Idempotency-Key`: what a second, identical call does. PUT, PATCH and DELETE repeat by nature. */
  readonly repeated?: string;
  /** The scope that the caller's key needs; null: no key. */
  readonly scope: Scope | null;
  readonly query?: z.ZodObject;
  readonly requestHeaders?: readonly RequestHeader[];
  /** Largest body, in bytes, where it is not the usual 256 KiB. */
  readonly maxBodyBytes?: number;
  readonly body?: {
    readonly schema: z.ZodType;
    readonly required: boolean;
    readonly examples: Readonly<Record<string, unknown>>;
  };
  readonly answers: readonly RouteAnswer[];
  /** Codes that only this route has reason for; what every route can answer is added by `problemsOf`. */
  readonly problems?: readonly ProblemCode[];
}

/** The groups of the reference, in reading order. */
export const routeTags = {
  'Authorization requests': 'Ask one person for one approval, learn the decision, and use the approval once.',
  Rules: 'Who is asked, by which provider, with which words, and what happens when the answer is no.',
  'Token providers': 'The OpenID Providers that ask people on their devices.',
  'Key pairs': 'Client certificates for mutual TLS. A private key goes in and never comes out.',
  'Rejection handlers': 'What an application shows when the answer is no, or when there is none.',
  'Webhook endpoints': 'Addresses that are told every decision, signed and retried.',
  'API clients': 'The applications that may call this API, their keys and scopes.',
  Configuration: 'Everything that is administered as one document: shown, compared, and applied as a whole.',
  'Master keys': 'What seals secrets at rest, and the way out for keys that have served.',
  'Dead letters': 'Messages between the services that were given up on: look, put back, or take away.',
  'Audit log': 'Who has done what and when, sealed so that a change of it shows.',
  Privacy: 'What is kept of people, and its end.',
  Notifications: 'Where token providers tell that an answer is there.',
  Keys: 'Public keys that verify receipts and callbacks.',
  Operations: 'Health, metrics and this description.',
} as const;
export type RouteTag = keyof typeof routeTags;

interface Resource {
  readonly path: string;
  readonly tag: RouteTag;
  /** In operation ids: `Rule` gives `listRules`, `createRule`, … */
  readonly name: string;
  readonly plural?: string;
  /** In sentences, with its article. */
  readonly noun: string;
  readonly body: z.ZodType;
  /** What PUT takes; null: this resource has no PUT. Default: `body`. */
  readonly replacement?: z.ZodType | null;
  readonly patch: z.ZodType;
  readonly answer: z.ZodType;
  readonly created?: z.ZodType;
  readonly createDescription?: string;
  /** What a second, identical creation does. */
  readonly createRepeated?: string;
  readonly bodyExamples: Readonly<Record<string, unknown>>;
  readonly patchExamples: Readonly<Record<string, unknown>>;
  readonly answerExample: unknown;
  readonly createdExample?: unknown;
  readonly writeProblems: readonly ProblemCode[];
  readonly deleteProblems?: readonly ProblemCode[];
}

/** The six routes that every admin subject has. */
function resource(r: Resource): Route[] {
  const one = `${r.path}/{id}`;
  const plural = r.plural ?? `${r.name}s`;
  const bare = r.noun.replace(/^an? /, '');
  const whole = { status: 200, schema: r.answer, headers: ['ETag'], examples: { [bare]: r.answerExample } } as const;
  const body = { schema: r.body, required: true, examples: r.bodyExamples } as const;
  return [
    {
      operationId: `list${plural}`,
      method: 'GET',
      path: r.path,
      tag: r.tag,
      summary: `List ${bare}s`,
      scope: 'admin:read',
      query: pageQuery,
      answers: [
        {
          status: 200,
          description: 'One page, oldest first.',
          schema: page(r.answer),
          headers: ['Link'],
          examples: { page: { data: [r.answerExample], nextCursor: null } },
        },
      ],
    },
    {
      operationId: `create${r.name}`,
      method: 'POST',
      path: r.path,
      tag: r.tag,
      summary: `Create ${r.noun}`,
      ...(r.createDescription !== undefined && { description: r.createDescription }),
      repeated: r.createRepeated ?? 'finds the name taken (`name_taken`) and changes nothing.',
      scope: 'admin:write',
      body,
      answers: [
        {
          ...whole,
          status: 201,
          description: 'Created.',
          schema: r.created ?? r.answer,
          headers: ['Location', 'ETag'],
          examples: { [bare]: r.createdExample ?? r.answerExample },
        },
      ],
      problems: r.writeProblems,
    },
    {
      operationId: `get${r.name}`,
      method: 'GET',
      path: one,
      tag: r.tag,
      summary: `Get ${r.noun}`,
      scope: 'admin:read',
      answers: [{ ...whole, description: `The ${bare}.` }],
    },
    ...(r.replacement === null
      ? []
      : ([
          {
            operationId: `replace${r.name}`,
            method: 'PUT',
            path: one,
            tag: r.tag,
            summary: `Replace ${r.noun}`,
            description: 'A write-only member that is left out keeps its value.',
            scope: 'admin:write',
            requestHeaders: ['If-Match'],
            body: { ...body, schema: r.replacement ?? r.body },
            answers: [{ ...whole, description: `The ${bare} as it is now.` }],
            problems: r.writeProblems,
          },
        ] satisfies Route[])),
    {
      operationId: `update${r.name}`,
      method: 'PATCH',
      path: one,
      tag: r.tag,
      summary: `Change ${r.noun}`,
      description: 'Merges the members that are sent (RFC 7396); the others stay.',
      scope: 'admin:write',
      requestHeaders: ['If-Match'],
      body: { schema: r.patch, required: true, examples: r.patchExamples },
      answers: [{ ...whole, description: `The ${bare} as it is now.` }],
      problems: r.writeProblems,
    },
    {
      operationId: `delete${r.name}`,
      method: 'DELETE',
      path: one,
      tag: r.tag,
      summary: `Delete ${r.noun}`,
      scope: 'admin:write',
      requestHeaders: ['If-Match'],
      answers: [{ status: 204, description: 'Deleted.' }],
      problems: r.deleteProblems ?? ['in_use'],
    },
  ];
}

const requestsPath = '/v1/authorization-requests';
const requestPath = `${requestsPath}/{id}`;

const authorizationRequestRoutes: readonly Route[] = [
  {
    operationId: 'submitAuthorizationRequest',
    method: 'POST',
    path: requestsPath,
    tag: 'Authorization requests',
    summary: 'Ask for an approval',
    description:
      'Stores the request and answers at once; the person is asked in the background. With `Prefer: wait=<seconds>` ' +
      'the answer waits for the decision, for at most 60 seconds. Send an `Idempotency-Key`, so that a repeated call ' +
      'never asks twice. A request that is stored counts against the limits of the person, the API client and the rule: ' +
      '`RateLimit` tells what is left of each.',
    scope: 'requests:write',
    query: waitQuery,
    requestHeaders: ['Idempotency-Key', 'Prefer', 'traceparent'],
    body: {
      schema: submitAuthorizationRequestBody,
      required: true,
      examples: { smallest: examples.submitSmallest, full: examples.submitFull },
    },
    answers: [
      {
        status: 201,
        description: 'Already decided; only with `Prefer: wait`.',
        schema: authorizationRequest,
        headers: [
          'Location',
          'ETag',
          'Idempotent-Replayed',
          'Request-Joined',
          'Preference-Applied',
          'RateLimit',
          'RateLimit-Policy',
        ],
        examples: { approved: examples.approvedRequest, denied: examples.deniedRequest },
      },
      {
        status: 202,
        description: 'Stored; the decision comes later.',
        schema: authorizationRequest,
        headers: [
          'Location',
          'Retry-After',
          'ETag',
          'Idempotent-Replayed',
          'Request-Joined',
          'Preference-Applied',
          'RateLimit',
          'RateLimit-Policy',
        ],
        examples: { requested: examples.requestedRequest },
      },
    ],
    problems: [
      'invalid_idempotency_key',
      'rule_not_allowed',
      'subject_not_allowed',
      'rule_disabled',
      'unknown_rule',
      'login_hint_missing',
      'callback_url_refused',
      'idempotency_key_reused',
      'prompt_limit',
      'busy',
    ],
  },
  {
    operationId: 'listAuthorizationRequests',
    method: 'GET',
    path: requestsPath,
    tag: 'Authorization requests',
    summary: 'List authorization requests',
    description: 'The requests of the calling API client, newest first.',
    scope: 'requests:read',
    query: listAuthorizationRequestsQuery,
    answers: [
      {
        status: 200,
        description: 'One page.',
        schema: page(authorizationRequest),
        headers: ['Link'],
        examples: { page: { data: [examples.deniedRequest], nextCursor: null } },
      },
    ],
  },
  {
    operationId: 'getAuthorizationRequest',
    method: 'GET',
    path: requestPath,
    tag: 'Authorization requests',
    summary: 'Get an authorization request',
    description:
      'With `Prefer: wait=<seconds>` the answer waits for the decision; with `If-None-Match` as well, for any change.',
    scope: 'requests:read',
    query: waitQuery,
    requestHeaders: ['Prefer', 'If-None-Match'],
    answers: [
      {
        status: 200,
        description: 'The request as it is now.',
        schema: authorizationRequest,
        headers: ['ETag', 'Retry-After', 'Preference-Applied'],
        examples: {
          pending: examples.pendingRequest,
          approved: examples.approvedRequest,
          denied: examples.deniedRequest,
        },
      },
      { status: 304, description: 'Not changed since the version that `If-None-Match` names.', headers: ['ETag'] },
    ],
  },
  {
    operationId: 'streamAuthorizationRequest',
    method: 'GET',
    path: `${requestPath}/events`,
    tag: 'Authorization requests',
    summary: 'Follow an authorization request',
    description:
      'Server-sent events: the name of an event is the status, its data the request document. The stream starts with ' +
      'the current document and ends after the decision.',
    scope: 'requests:read',
    requestHeaders: ['Last-Event-ID'],
    answers: [
      { status: 200, description: 'The stream.', mediaType: 'text/event-stream' },
      { status: 204, description: 'The decision was in the event that `Last-Event-ID` names: nothing more will come.' },
    ],
  },
  {
    operationId: 'getTimeline',
    method: 'GET',
    path: `${requestPath}/timeline`,
    tag: 'Authorization requests',
    summary: 'Get the timeline of an authorization request',
    description:
      'What happened, in order. No entry holds a secret, a token or a login hint. One request has few entries: there is no ' +
      'next page.',
    scope: 'requests:read',
    answers: [
      { status: 200, description: 'The timeline.', schema: timeline, examples: { timeline: examples.timelineExample } },
    ],
  },
  {
    operationId: 'cancelAuthorizationRequest',
    method: 'POST',
    path: `${requestPath}/cancel`,
    tag: 'Authorization requests',
    summary: 'Withdraw an authorization request',
    description: 'An approval that arrives later is recorded and never counts. Repeating the call answers the same.',
    repeated: 'answers the same.',
    scope: 'requests:write',
    answers: [
      {
        status: 200,
        description: 'Cancelled.',
        schema: authorizationRequest,
        headers: ['ETag'],
        examples: { cancelled: examples.cancelledRequest },
      },
    ],
    problems: ['already_decided'],
  },
  {
    operationId: 'consumeAuthorizationRequest',
    method: 'POST',
    path: `${requestPath}/consume`,
    tag: 'Authorization requests',
    summary: 'Use an approval, once',
    description:
      'Call it right before the operation that was approved: exactly one call succeeds. With `attributes`, only when ' +
      'they equal what was approved. With an `Idempotency-Key`, a repetition of the call that succeeded answers 200 ' +
      'again.',
    scope: 'requests:write',
    requestHeaders: ['Idempotency-Key'],
    body: { schema: consumeBody, required: false, examples: { matched: examples.consumeMatched } },
    answers: [
      {
        status: 200,
        description: 'Used, now and never again.',
        schema: consumption,
        headers: ['Cache-Control'],
        examples: { consumed: examples.consumptionExample },
      },
    ],
    problems: [
      'invalid_idempotency_key',
      'rule_not_allowed',
      'subject_not_allowed',
      'rule_disabled',
      'not_approved',
      'already_consumed',
      'approval_lapsed',
      'request_mismatch',
      'decision_pending',
    ],
  },
];

/** A configuration holds many objects: 2 MiB. */
const configurationMaxBytes = 2_097_152;
const configurationProblems = [
  'busy',
  'callback_url_refused',
  'in_use',
  'invalid_key_pair',
  'name_taken',
  'predefined',
  'unknown_reference',
] as const;

const adminRoutes: readonly Route[] = [
  ...resource({
    path: '/v1/rules',
    tag: 'Rules',
    name: 'Rule',
    noun: 'a rule',
    body: ruleBody,
    patch: rulePatch,
    answer: rule,
    createDescription:
      'Every later change makes a new version; a request keeps the version that it started under. `openid` is always ' +
      'among the scopes that the provider is asked for.',
    bodyExamples: {
      secret: examples.ruleBodyExample,
      mutualTls: examples.ruleBodyMutualTls,
      detailed: examples.ruleBodyDetailed,
    },
    patchExamples: { disable: { enabled: false } },
    answerExample: examples.ruleExample,
    writeProblems: ['name_taken', 'unknown_reference'],
  }),
  ...resource({
    path: '/v1/token-providers',
    tag: 'Token providers',
    name: 'TokenProvider',
    noun: 'a token provider',
    body: tokenProviderBody,
    patch: tokenProviderPatch,
    answer: tokenProvider,
    createDescription: 'Creating calls nobody: the provider is looked at when it is first used, or by its check.',
    bodyExamples: { discovery: examples.tokenProviderBodyExample },
    patchExamples: { profile: { profile: 'keycloak' } },
    answerExample: examples.tokenProviderExample,
    writeProblems: ['name_taken'],
  }),
  ...resource({
    path: '/v1/key-pairs',
    tag: 'Key pairs',
    name: 'KeyPair',
    noun: 'a key pair',
    body: keyPairImport,
    replacement: null,
    patch: keyPairPatch,
    answer: keyPair,
    createDescription:
      'Imports a certificate and its private key, as PEM or as PKCS#12, or generates both. Chains are put in order and ' +
      'checked link by link; weak keys, broken hashes and what has expired are refused.',
    bodyExamples: { pem: examples.keyPairPem, generate: examples.keyPairGenerate },
    patchExamples: { rename: { alias: 'bank client 2027' } },
    answerExample: examples.keyPairExample,
    writeProblems: ['name_taken', 'invalid_key_pair'],
  }),
  ...resource({
    path: '/v1/rejection-handlers',
    tag: 'Rejection handlers',
    name: 'RejectionHandler',
    noun: 'a rejection handler',
    body: rejectionHandlerBody,
    patch: rejectionHandlerPatch,
    answer: rejectionHandler,
    createDescription:
      'The template knows `{{requestId}}`, `{{outcome}}`, `{{reason}}`, `{{ruleName}}`, `{{bindingMessage}}`, ' +
      '`{{expiresAt}}`, `{{title}}`, `{{header}}` and `{{info}}`; every value is escaped for the content type.',
    bodyExamples: { template: examples.rejectionHandlerBodyExample, redirect: examples.redirectBodyExample },
    patchExamples: { status: { status: 451 } },
    answerExample: examples.rejectionHandlerExample,
    writeProblems: ['name_taken', 'predefined'],
    deleteProblems: ['in_use', 'predefined'],
  }),
  ...resource({
    path: '/v1/webhook-endpoints',
    tag: 'Webhook endpoints',
    name: 'WebhookEndpoint',
    noun: 'a webhook endpoint',
    body: webhookEndpointBody,
    patch: webhookEndpointPatch,
    answer: webhookEndpoint,
    created: createdWebhookEndpoint,
    createDescription: 'The answer shows the signing secret: the only time that it is shown.',
    createRepeated:
      'finds the name taken (`name_taken`); without a name it makes one more endpoint, for one address may have several. ' +
      'When an answer was lost, look at the list, and rotate the secret of the endpoint that is there.',
    bodyExamples: { endpoint: examples.webhookEndpointBodyExample },
    patchExamples: { disable: { enabled: false } },
    answerExample: examples.webhookEndpointExample,
    createdExample: examples.createdWebhookEndpointExample,
    writeProblems: ['name_taken', 'callback_url_refused'],
    deleteProblems: [],
  }),
  ...resource({
    path: '/v1/api-clients',
    tag: 'API clients',
    name: 'ApiClient',
    noun: 'an API client',
    body: apiClientBody,
    replacement: null,
    patch: apiClientPatch,
    answer: apiClient,
    created: createdApiClient,
    createDescription: 'The answer shows the key (and the callback secret): the only time that they are shown.',
    bodyExamples: {
      shop: examples.apiClientBodyExample,
      limited: examples.apiClientBodyLimited,
      oauth: examples.apiClientBodyOauth,
    },
    patchExamples: {
      narrow: { scopes: ['requests:read'] },
      stop: { enabled: false },
      people: { subjects: [{ endsWith: '@example.com' }] },
    },
    answerExample: examples.apiClientExample,
    createdExample: examples.createdApiClientExample,
    writeProblems: ['name_taken', 'unknown_reference'],
    deleteProblems: [],
  }),
  {
    operationId: 'listSigningKeys',
    method: 'GET',
    path: '/v1/signing-keys',
    tag: 'Keys',
    summary: 'List the signing keys',
    description:
      'What Assent signs with, those of the future and of the past included, as long as they are published: a handful, so ' +
      'there is no next page. The public keys themselves are in the key set, `/.well-known/jwks.json`.',
    scope: 'admin:read',
    answers: [
      {
        status: 200,
        description: 'The keys, by use; the current one first.',
        schema: signingKeyList,
        examples: { rotation: examples.signingKeysExample },
      },
    ],
  },
  {
    operationId: 'exportConfiguration',
    method: 'GET',
    path: '/v1/configuration',
    tag: 'Configuration',
    summary: 'Show everything as one configuration',
    description:
      'Objects go by their names, ids and versions do not appear, and no secret does. What is predefined is left out, and ' +
      'so is what is as by default. A webhook endpoint without a name is given one.',
    scope: 'admin:read',
    query: exportConfigurationQuery,
    answers: [
      {
        status: 200,
        description: 'The configuration.',
        schema: exportedConfiguration,
        examples: { whole: examples.exportedConfigurationExample },
      },
    ],
  },
  {
    operationId: 'diffConfiguration',
    method: 'POST',
    path: '/v1/configuration/diff',
    tag: 'Configuration',
    summary: 'Compare a configuration with what there is',
    description:
      'Changes nothing. Secrets are compared too, and told of without being shown: who may ask could find one out by ' +
      'guessing, so this needs the scope of an apply.',
    repeated: 'answers the same; it changes nothing.',
    scope: 'admin:write',
    maxBodyBytes: configurationMaxBytes,
    body: {
      schema: configurationDiffBody,
      required: true,
      examples: { rule: { configuration: examples.configurationExample } },
    },
    answers: [
      {
        status: 200,
        description: 'What an apply would change.',
        schema: configurationDiff,
        examples: {
          differs: { changes: [examples.configurationChangeExample], unchanged: 1 },
          same: { changes: [], unchanged: 2 },
        },
      },
    ],
    problems: configurationProblems,
  },
  {
    operationId: 'applyConfiguration',
    method: 'POST',
    path: '/v1/configuration/apply',
    tag: 'Configuration',
    summary: 'Make everything what a configuration says',
    description:
      'In one transaction: all of it happens, or, when the answer is a problem, nothing. Names tell objects apart: an ' +
      'object under another name is another object. What is as the configuration says stays untouched, without a new ' +
      'version and without an event in the audit log; every change is in that log as if it had been made alone.',
    repeated: 'finds everything as the configuration says, and changes nothing.',
    scope: 'admin:write',
    maxBodyBytes: configurationMaxBytes,
    body: {
      schema: configurationApplyBody,
      required: true,
      examples: {
        rule: { configuration: examples.configurationExample },
        dryRun: { configuration: examples.configurationExample, prune: true, dryRun: true },
      },
    },
    answers: [
      {
        status: 200,
        description: 'What was changed.',
        schema: configurationResult,
        examples: { applied: examples.configurationResultExample },
      },
    ],
    problems: configurationProblems,
  },
  {
    operationId: 'importPingAccess',
    method: 'POST',
    path: '/v1/configuration/import/pingaccess',
    tag: 'Configuration',
    summary: 'Import from PingAccess',
    description:
      'Takes its token provider, its one-time-authorization rules, and the rejection handlers and key pairs that go with ' +
      'them; one transaction, all or nothing. What is there under the same name stays as it is. PingAccess exports secrets ' +
      'in a form that only it can read: they have to be given in `inputs`. A dry run tells which.',
    repeated: 'finds what it has made, and leaves it.',
    scope: 'admin:write',
    maxBodyBytes: configurationMaxBytes,
    body: { schema: pingAccessImportBody, required: true, examples: { dryRun: examples.pingAccessImportBodyExample } },
    answers: [
      {
        status: 200,
        description: 'What was found, and what was made of it.',
        schema: pingAccessImport,
        examples: { missing: examples.pingAccessImportExample },
      },
    ],
    problems: configurationProblems,
  },
  {
    operationId: 'listMasterKeys',
    method: 'GET',
    path: '/v1/master-keys',
    tag: 'Master keys',
    summary: 'List the master keys',
    description:
      'The keys that have sealed something in the database, newest first, and how much each still seals: what is old is ' +
      'sealed anew in the background. Counts every sealed value, which takes seconds in a large database. There is no next ' +
      'page: who has rotated often takes the old ones out.',
    scope: 'admin:read',
    answers: [
      {
        status: 200,
        description: 'The keys.',
        schema: masterKeyList,
        examples: { rotation: examples.masterKeysExample },
      },
    ],
  },
  {
    operationId: 'forgetMasterKey',
    method: 'DELETE',
    path: '/v1/master-keys/{id}',
    tag: 'Master keys',
    summary: 'Take a master key out',
    description: 'From then on services start without it. Take it out of `ASSENT_MASTER_KEYS` afterwards, not before.',
    scope: 'admin:write',
    answers: [{ status: 204, description: 'It is not needed any more.' }],
    problems: ['in_use'],
  },
  {
    operationId: 'listDeadLetters',
    method: 'GET',
    path: '/v1/dead-letters',
    tag: 'Dead letters',
    summary: 'List the dead letters',
    description:
      'The oldest of each queue; they stay where they are. The row in the database is the truth, and a sweep has usually ' +
      'brought the request to its end meanwhile. In one process without a broker they are gone when the process ends.',
    scope: 'admin:read',
    query: deadLettersQuery,
    answers: [
      {
        status: 200,
        description: 'At most `limit`; there is no next page: replay or drop these first.',
        schema: page(deadLetter),
        examples: { page: { data: [examples.deadLetterExample], nextCursor: null } },
      },
    ],
    problems: ['broker_unavailable'],
  },
  {
    operationId: 'replayDeadLetters',
    method: 'POST',
    path: '/v1/dead-letters/replay',
    tag: 'Dead letters',
    summary: 'Put all dead letters back',
    description: 'At most 1000 in one call, each once: what dies again stays dead. Handlers are idempotent.',
    repeated: 'puts back what has died since.',
    scope: 'admin:write',
    body: { schema: replayBody, required: false, examples: { all: {}, one: { queue: 'decision-service.decision.#' } } },
    answers: [
      {
        status: 200,
        description: 'What was done.',
        schema: replayResult,
        examples: { done: { replayed: 12, left: 0 } },
      },
    ],
    problems: ['broker_unavailable'],
  },
  {
    operationId: 'getDeadLetter',
    method: 'GET',
    path: '/v1/dead-letters/{id}',
    tag: 'Dead letters',
    summary: 'Get a dead letter',
    scope: 'admin:read',
    answers: [
      {
        status: 200,
        description: 'The letter.',
        schema: deadLetter,
        examples: { letter: examples.deadLetterExample },
      },
    ],
    problems: ['broker_unavailable'],
  },
  {
    operationId: 'replayDeadLetter',
    method: 'POST',
    path: '/v1/dead-letters/{id}/replay',
    tag: 'Dead letters',
    summary: 'Put a dead letter back',
    description: 'Into its own queue, as if it were new; it leaves the dead queue once it is safe there.',
    repeated: 'finds nothing to put back (`not_found`), or the letter that died again.',
    scope: 'admin:write',
    answers: [
      {
        status: 200,
        description: 'It is back in its queue.',
        schema: replayResult,
        examples: { done: { replayed: 1, left: 0 } },
      },
    ],
    problems: ['broker_unavailable'],
  },
  {
    operationId: 'dropDeadLetter',
    method: 'DELETE',
    path: '/v1/dead-letters/{id}',
    tag: 'Dead letters',
    summary: 'Take a dead letter away',
    scope: 'admin:write',
    answers: [{ status: 204, description: 'It is gone for good.' }],
    problems: ['broker_unavailable'],
  },
  {
    operationId: 'rotateApiKey',
    method: 'POST',
    path: '/v1/api-clients/{id}/rotate',
    tag: 'API clients',
    summary: 'Replace the key of an API client',
    description:
      'The answer shows the new key: the only time that it is shown. The old one works on for `overlapSeconds`; a key that ' +
      'was replaced before stops at once.',
    repeated: 'replaces the key once more; of two rotations only the last key and the one before it work.',
    scope: 'admin:write',
    body: {
      schema: rotateKeyBody,
      required: false,
      examples: {
        overlap: { overlapSeconds: 86_400 },
        atOnce: {},
        untilThen: { overlapSeconds: 3_600, expiresAt: '2026-06-01T00:00:00.000Z' },
      },
    },
    answers: [
      {
        status: 200,
        description: 'The API client and its new key.',
        schema: rotatedApiClient,
        headers: ['ETag', 'Cache-Control'],
        examples: { rotated: examples.rotatedApiClientExample },
      },
    ],
  },
  {
    operationId: 'erasePerson',
    method: 'POST',
    path: '/v1/erasures',
    tag: 'Privacy',
    summary: 'Erase a person',
    description:
      'Takes away whatever names the person in every request: hint, attributes, messages, metadata, addresses of callbacks, ' +
      'subject, receipt and tokens. Outcome, times and request hash stay. An approval that was not used can no longer be ' +
      'used, and a callback that was not delivered is not. Idempotency keys go a day after their request. Repeating the ' +
      'call does what is left. What others were told before, and the `subjects` of API clients, are not touched.',
    repeated: 'does what is left to do.',
    scope: 'admin:write',
    body: { schema: erasureBody, required: true, examples: examples.erasureBodies },
    answers: [{ status: 200, description: 'Erased.', schema: erasure, examples: { erased: examples.erasureExample } }],
    problems: ['requests_open', 'decision_pending', 'busy'],
  },
  {
    operationId: 'getCertificateRequest',
    method: 'GET',
    path: '/v1/key-pairs/{id}/csr',
    tag: 'Key pairs',
    summary: 'Ask for a certificate',
    description: 'A request (PKCS#10) to be signed by an authority, with the names of the certificate that is there.',
    scope: 'admin:read',
    answers: [
      {
        status: 200,
        description: 'The request.',
        schema: certificateRequest,
        examples: { request: examples.certificateRequestExample },
      },
    ],
  },
  {
    operationId: 'replaceCertificate',
    method: 'PUT',
    path: '/v1/key-pairs/{id}/certificate',
    tag: 'Key pairs',
    summary: 'Replace the certificate of a key pair',
    description:
      'The private key stays. The certificate must belong to it; calls come with the new one within seconds.',
    scope: 'admin:write',
    requestHeaders: ['If-Match'],
    body: {
      schema: certificateReplacement,
      required: true,
      examples: { signed: examples.certificateReplacementExample },
    },
    answers: [
      {
        status: 200,
        description: 'The key pair with its new certificate.',
        schema: keyPair,
        headers: ['ETag'],
        examples: { 'key pair': examples.keyPairExample },
      },
    ],
    problems: ['invalid_key_pair'],
  },
  {
    operationId: 'listAuditEvents',
    method: 'GET',
    path: '/v1/audit-events',
    tag: 'Audit log',
    summary: 'List audit events',
    description:
      'Every administrative change and every decision, newest first. An administrative change is there as soon as the ' +
      'call is answered, a decision when it has been sealed, some seconds later. With `afterSequence`: what is sealed, ' +
      'in the order of the chain. `assent audit verify` follows it.',
    scope: 'admin:read',
    query: auditEventsQuery,
    answers: [
      {
        status: 200,
        description: 'One page.',
        schema: page(auditEvent),
        headers: ['Link'],
        examples: { page: { data: [examples.auditEventExample], nextCursor: null } },
      },
    ],
  },
  {
    operationId: 'listAuditHeads',
    method: 'GET',
    path: '/v1/audit-heads',
    tag: 'Audit log',
    summary: 'List the heads of the audit log',
    description: 'How far the log reached each time that it was sealed, signed, oldest first.',
    scope: 'admin:read',
    query: pageQuery,
    answers: [
      {
        status: 200,
        description: 'One page.',
        schema: page(auditHead),
        headers: ['Link'],
        examples: { page: { data: [examples.auditHeadExample], nextCursor: null } },
      },
    ],
  },
  {
    operationId: 'previewRule',
    method: 'POST',
    path: '/v1/rules/{id}/preview',
    tag: 'Rules',
    summary: 'Show what a rule would ask',
    description:
      'Composes the backchannel authentication request that these attributes lead to, by the code that sends it, and ' +
      'sends nothing: nobody is asked, nothing is kept. The provider may be discovered. A binding message that the ' +
      'provider demands and nobody gives is made up anew each time.',
    repeated: 'composes it anew; nothing is changed.',
    scope: 'admin:read',
    body: {
      schema: rulePreviewBody,
      required: true,
      examples: { payment: examples.rulePreviewBodyExample },
    },
    problems: ['login_hint_missing'],
    answers: [
      {
        status: 200,
        description: 'The request as it would be sent, or why there would be none.',
        schema: rulePreview,
        examples: { composed: examples.rulePreviewExample },
      },
    ],
  },
  {
    operationId: 'checkTokenProvider',
    method: 'POST',
    path: '/v1/token-providers/{id}/check',
    tag: 'Token providers',
    summary: 'Check a token provider',
    description:
      'The doctor. Looks at discovery, TLS, clock, CIBA and keys now, and at what each rule of this provider asks. Each ' +
      'client is tried for real with a token call for a request that was never made: nobody is prompted. Takes half a ' +
      'minute at most; `GET` shows the outcome of the last look in `discovery`.',
    repeated: 'looks again; nothing is changed.',
    scope: 'admin:write',
    answers: [
      {
        status: 200,
        description: 'What was found.',
        schema: providerCheck,
        examples: { checked: examples.providerCheckExample },
      },
    ],
  },
  {
    operationId: 'rotateWebhookSecret',
    method: 'POST',
    path: '/v1/webhook-endpoints/{id}/rotate',
    tag: 'Webhook endpoints',
    summary: 'Replace the secret of a webhook endpoint',
    description:
      'The answer shows the new secret: the only time that it is shown. For `overlapSeconds` every delivery carries a ' +
      'signature with each of the two. Rotating again during an overlap keeps the older one, which the receiver has, so ' +
      'that a call whose answer was lost can be repeated.',
    repeated: 'replaces the secret once more and keeps the one that the receiver has for the overlap.',
    scope: 'admin:write',
    body: {
      schema: rotateSecretBody,
      required: false,
      examples: { overlap: { overlapSeconds: 86_400 }, atOnce: { overlapSeconds: 0 } },
    },
    answers: [
      {
        status: 200,
        description: 'The endpoint and its new secret.',
        schema: createdWebhookEndpoint,
        headers: ['ETag', 'Cache-Control'],
        examples: { rotated: examples.rotatedWebhookEndpointExample },
      },
    ],
  },
  {
    operationId: 'testWebhookEndpoint',
    method: 'POST',
    path: '/v1/webhook-endpoints/{id}/test',
    tag: 'Webhook endpoints',
    summary: 'Send a test event to a webhook endpoint',
    description:
      'Sends one `test.ping`, signed and retried like every other delivery, whether the endpoint subscribes to it or not. ' +
      'Each call sends one of its own; look at the delivery for what came of it.',
    repeated: 'sends one more test event, under an id of its own.',
    scope: 'admin:write',
    answers: [
      {
        status: 202,
        description: 'On its way.',
        schema: delivery,
        headers: ['Location'],
        examples: { test: examples.testDeliveryExample },
      },
    ],
    problems: ['webhook_endpoint_disabled'],
  },
  {
    operationId: 'listDeliveries',
    method: 'GET',
    path: '/v1/webhook-endpoints/{id}/deliveries',
    tag: 'Webhook endpoints',
    summary: 'List the deliveries to a webhook endpoint',
    scope: 'admin:read',
    query: deliveriesQuery,
    answers: [
      {
        status: 200,
        description: 'One page, newest first.',
        schema: page(delivery),
        headers: ['Link'],
        examples: { page: { data: [examples.deliveryExample], nextCursor: null } },
      },
    ],
  },
  {
    operationId: 'getDelivery',
    method: 'GET',
    path: '/v1/webhook-endpoints/{id}/deliveries/{deliveryId}',
    tag: 'Webhook endpoints',
    summary: 'Get a delivery and its attempts',
    scope: 'admin:read',
    answers: [
      {
        status: 200,
        description: 'The delivery.',
        schema: delivery,
        examples: { delivery: examples.deliveryExample },
      },
    ],
  },
  {
    operationId: 'replayDelivery',
    method: 'POST',
    path: '/v1/webhook-endpoints/{id}/deliveries/{deliveryId}/replay',
    tag: 'Webhook endpoints',
    summary: 'Make a delivery again',
    description:
      'Now, with the whole schedule of retries, under the same `webhook-id`; one that waits for its next attempt does not ' +
      'wait any longer. A decision about a person who was erased meanwhile is sent as it is now.',
    repeated: 'sends it once more, under the same `webhook-id`, which tells receivers.',
    scope: 'admin:write',
    answers: [
      {
        status: 202,
        description: 'On its way.',
        schema: delivery,
        headers: ['Location'],
        examples: { replayed: examples.replayedDeliveryExample },
      },
    ],
    problems: ['webhook_endpoint_disabled'],
  },
  {
    operationId: 'replayDeliveries',
    method: 'POST',
    path: '/v1/webhook-endpoints/{id}/deliveries/replay',
    tag: 'Webhook endpoints',
    summary: 'Make the deliveries of a time again',
    description:
      'Oldest first, at most 1000 in one call: repeat it with `nextCursor` until that is null. What is pending stays as ' +
      'it is, so a repeated call for what was given up does nothing twice.',
    repeated: 'finds what is on its way by then, and leaves it.',
    scope: 'admin:write',
    body: {
      schema: replayDeliveriesBody,
      required: true,
      examples: {
        missed: { since: '2026-03-01T00:00:00.000Z' },
        everything: { since: '2026-03-01T00:00:00.000Z', until: '2026-03-02T00:00:00.000Z', state: 'any' },
      },
    },
    answers: [
      {
        status: 202,
        description: 'On their way.',
        schema: replayedDeliveries,
        examples: { done: { replayed: 42, nextCursor: null } },
      },
    ],
    problems: ['webhook_endpoint_disabled', 'invalid_cursor'],
  },
];

const openRoutes: readonly Route[] = [
  {
    operationId: 'receiveCibaNotification',
    method: 'POST',
    path: '/v1/ciba/notifications',
    tag: 'Notifications',
    summary: 'Tell that an answer is there',
    description:
      'For token providers, whose clients have this address as their notification endpoint (CIBA Core 1.0 §10.2, ' +
      '§10.3). The bearer token is the `client_notification_token` of the start call; a token that does not fit, and an ' +
      '`auth_req_id` that the token does not fit, get the same 401. A repeated notification, and one for a request that ' +
      'has ended, is accepted and changes nothing. Members that nobody knows are ignored. Rules with `deliveryMode` ' +
      '`push` get tokens or an error here, and nothing else. Plain http is refused. Calls are counted per source and per ' +
      'token; a token that fits is never refused for what strangers do.',
    repeated: 'changes nothing.',
    scope: null,
    body: {
      schema: cibaNotification,
      required: true,
      examples: {
        ping: { auth_req_id: '1c266114-a1be-4252-8ad1-04986c5b9ac1' },
        denied: { auth_req_id: '1c266114-a1be-4252-8ad1-04986c5b9ac1', error: 'access_denied' },
      },
    },
    answers: [{ status: 204, description: 'Heard, and stored.', headers: ['RateLimit', 'RateLimit-Policy'] }],
    problems: ['unauthenticated', 'insecure_transport', 'too_many_calls'],
  },
  {
    operationId: 'getKeys',
    method: 'GET',
    path: '/.well-known/jwks.json',
    tag: 'Keys',
    summary: 'Get the public keys',
    description: 'Verifies receipts (ES256), callbacks (`v1a`, Ed25519) and our client assertions (ES256).',
    scope: null,
    answers: [
      {
        status: 200,
        description: 'A JWK Set (RFC 7517).',
        mediaType: 'application/jwk-set+json',
        headers: ['Cache-Control'],
      },
    ],
  },
  ...(
    [
      ['getLiveness', '/health/live', 'Is the process alive?', 'application/json'],
      ['getReadiness', '/health/ready', 'Can the process serve?', 'application/json'],
      ['getMetrics', '/metrics', 'Metrics for Prometheus', 'text/plain'],
      ['getOpenApi', '/openapi.json', 'This description as OpenAPI 3.1', 'application/json'],
      ['getAsyncApi', '/asyncapi.json', 'The events as AsyncAPI 3.0', 'application/json'],
      [
        'getConfigurationSchema',
        '/configuration.schema.json',
        'The schema of a configuration file',
        'application/schema+json',
      ],
      ['getConsole', '/console', 'The console for administrators', 'text/html'],
      ['getReference', '/docs', 'The reference of the HTTP API as a page', 'text/html'],
      ['getReferenceStyle', '/docs/reference.css', 'The style sheet of these pages', 'text/css'],
      ['getErrorCatalogue', '/docs/errors', 'Every problem code as a page', 'text/html'],
      [
        'getErrorPage',
        '/docs/errors/{code}',
        'One problem code as a page: where the `type` of a problem leads',
        'text/html',
      ],
      ['getEventCatalogue', '/docs/events', 'Every event as a page', 'text/html'],
    ] as const
  ).map(([operationId, path, summary, mediaType]): Route => ({
    operationId,
    method: 'GET',
    path,
    tag: 'Operations',
    summary,
    scope: null,
    // Health and metrics are every process's own; the rest passes the guards of the API.
    problems: [
      ...(path.includes('{code}') ? (['not_found'] as const) : []),
      ...(/^\/(health|metrics)/.test(path) ? [] : (['invalid_parameter'] as const)),
    ],
    answers: [
      {
        status: 200,
        description: 'As the summary says.',
        mediaType,
        ...(path === '/health/live' && { examples: { live: { status: 'live' } } }),
        ...(path === '/health/ready' && { examples: { ready: examples.readyExample } }),
      },
      ...(path === '/health/ready'
        ? [
            {
              status: 503,
              description: 'Not ready; `checks` says what is missing.',
              mediaType,
              examples: { unready: examples.notReadyExample },
            },
          ]
        : []),
    ],
  })),
];

/** Every route of the HTTP API that exists. */
export const routes: readonly Route[] = [...authorizationRequestRoutes, ...adminRoutes, ...openRoutes];

/** Every problem that a call of this route can end with, by what the route takes. */
export function problemsOf(route: Route): ProblemCode[] {
  const codes: ProblemCode[] = [...(route.problems ?? [])];
  if (route.tag === 'Operations') return codes;
  if (route.scope !== null) codes.push('unauthenticated', 'insufficient_scope', 'issuer_unavailable');
  if (route.path.includes('{id}')) codes.push('not_found');
  codes.push('invalid_parameter');
  if (route.query && 'cursor' in route.query.shape) codes.push('invalid_cursor');
  if (route.requestHeaders?.includes('If-Match')) codes.push('invalid_if_match', 'version_mismatch');
  if (route.body) codes.push('malformed_body', 'body_too_large', 'unsupported_media_type', 'invalid_body');
  codes.push('internal_error', 'database_unavailable', 'starting', 'shutting_down');
  return [...new Set(codes)];
}
