/** The documents that the API description shows. A test parses each of them with its schema. */

import { providerFindings, type FindingCode } from './provider-findings.js';

const requestId = '01948b9e-6a4f-7c11-9d0f-3f5a1be0c7a2';
const decisionId = '01948b9e-8f03-7d5e-8a41-77c0a2f1d9b4';
const ruleId = '01948b90-11aa-7b02-8c3d-5e6f70819203';
const tokenProviderId = '01948b8f-02bb-7a13-9b4c-6d7e8f901234';
const keyPairId = '01948b8f-77cc-7e24-a15d-0e1f20314253';
const handlerId = '01948b8f-88dd-7f35-b26e-1f2031425364';
const endpointId = '01948b8f-99ee-7046-837f-203142536475';
const clientId = '01948b8f-aaff-7157-9480-314253647586';
const createdAt = '2026-03-02T09:15:04.120Z';
const decidedAt = '2026-03-02T09:15:21.734Z';
const times = { version: 1, createdAt, updatedAt: createdAt };

const ruleReference = { id: ruleId, name: 'Approve a payment', version: 3 };
const requestHash = '9c1W0yq1mX8kq2m3gq3o8r0v5l7u4T6Jb2n9Xh5aFQE';
const attributes = { email: 'alice@example.com', amount: '25 EUR' };

export const submitSmallest = { rule: 'Approve a payment', attributes };

export const submitFull = {
  ...submitSmallest,
  bindingMessage: 'Pay 25 EUR to Corner Shop',
  callbackUrl: 'https://shop.example.com/assent/decisions',
  metadata: { order: 'A-1042' },
};

export const requestedRequest = {
  id: requestId,
  status: 'requested',
  reason: null,
  providerError: null,
  rule: ruleReference,
  bindingMessage: 'Pay 25 EUR to Corner Shop',
  requestHash,
  createdAt,
  expiresAt: null,
  decision: null,
  consumedAt: null,
  metadata: { order: 'A-1042' },
  links: {
    self: `/v1/authorization-requests/${requestId}`,
    events: `/v1/authorization-requests/${requestId}/events`,
    cancel: `/v1/authorization-requests/${requestId}/cancel`,
    consume: `/v1/authorization-requests/${requestId}/consume`,
  },
};

export const pendingRequest = { ...requestedRequest, status: 'pending', expiresAt: '2026-03-02T09:17:04.318Z' };

const decision = {
  id: decisionId,
  authorizationRequestId: requestId,
  reason: null,
  providerError: null,
  rule: ruleReference,
  decidedAt,
  rejection: null,
  evidence: null,
  receipt: null,
  requestHash,
  metadata: { order: 'A-1042' },
};

export const approvedDecision = {
  ...decision,
  outcome: 'approved',
  evidence: {
    issuer: 'https://login.example.com',
    subject: 'alice',
    acr: null,
    amr: null,
    authTime: 1772442920,
    idTokenSha256: 'mCq3Vq0p1o5s9u2w4y6A8C0E2G4I6K8M0O2Q4S6U8W0',
  },
  receipt:
    'eyJhbGciOiJFUzI1NiIsInR5cCI6ImFzc2VudC1yZWNlaXB0K2p3dCIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2Fzc2VudC5leGFtcGxlLmNvbSJ9.c2lnbmF0dXJl',
};

export const deniedDecision = {
  ...decision,
  outcome: 'denied',
  rejection: {
    handler: { id: handlerId, name: 'Default API Rejection Handler' },
    response: { status: 403, headers: { 'content-type': 'application/json' }, body: '{"error":"denied"}' },
  },
};

export const approvedRequest = { ...pendingRequest, status: 'approved', decision: approvedDecision };
export const deniedRequest = { ...pendingRequest, status: 'denied', decision: deniedDecision };
export const cancelledRequest = {
  ...pendingRequest,
  status: 'cancelled',
  decision: { ...decision, outcome: 'cancelled' },
};

export const timelineExample = {
  data: [
    { at: createdAt, type: 'requested', detail: {} },
    { at: '2026-03-02T09:15:04.318Z', type: 'initiated', detail: { expiresInSeconds: 120, intervalSeconds: 5 } },
    { at: '2026-03-02T09:15:21.702Z', type: 'approved', detail: { acr: null, polls: 3 } },
    { at: decidedAt, type: 'decided', detail: { outcome: 'approved' } },
  ],
};

export const consumeMatched = { attributes };
export const consumptionExample = {
  decision: approvedDecision,
  consumedAt: '2026-03-02T09:15:22.010Z',
  accessToken: null,
};

const rejected = (outcome: string, reason: string | null, header: string) => ({
  ...deniedDecision,
  outcome,
  reason,
  rejection: {
    ...deniedDecision.rejection,
    response: {
      ...deniedDecision.rejection.response,
      body: JSON.stringify({ title: header, outcome, reason: reason ?? '', requestId }),
    },
  },
});
/** One decision of each kind, by its event. */
export const decisionExamples = {
  'decision.approved': approvedDecision,
  'decision.denied': deniedDecision,
  'decision.expired': rejected('expired', null, 'No answer in time'),
  'decision.cancelled': { ...deniedDecision, outcome: 'cancelled', rejection: null },
  'decision.failed': rejected('failed', 'unknown_user', 'Approval not possible'),
} as const;

export const webhookExample = { type: 'decision.denied', timestamp: decidedAt, data: deniedDecision };

export const ruleBodyExample = {
  name: 'Approve a payment',
  type: 'one-time-authorization',
  tokenProviderId,
  clientId: 'assent',
  clientCredentials: { type: 'secret', clientSecret: 'the secret that the provider gave you' },
  loginHintAttribute: 'email',
  bindingMessage: 'Pay {{amount}} to Corner Shop',
  requestedExpirySeconds: 120,
};

export const ruleBodyMutualTls = {
  ...ruleBodyExample,
  name: 'Approve a transfer',
  clientCredentials: { type: 'mutual-tls', keyPairId },
};

export const ruleBodyDetailed = {
  ...ruleBodyExample,
  name: 'Approve a standing order',
  loginHintAttribute: 'customer',
  hintTemplate: '{"format":"iss_sub","iss":"{{issuer}}","sub":"{{value}}"}',
  subjectPolicy: 'hint',
  extraParameters: { audience: 'https://api.example.com' },
  authorizationDetails: [
    {
      type: 'payment_initiation',
      instructedAmount: { currency: 'EUR', amount: '{{amount}}' },
      creditorName: '{{payee}}',
    },
  ],
};

export const rulePreviewBodyExample = { attributes: { email: 'alice@example.com', amount: '25 EUR' } };

export const rulePreviewExample = {
  rule: { id: ruleId, name: 'Approve a payment', version: 3 },
  bindingMessage: 'Pay 25 EUR to Corner Shop',
  request: {
    method: 'POST',
    url: 'https://op.example.com/backchannel',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      'accept-encoding': 'identity',
      authorization: 'Basic (secret)',
    },
    form: {
      scope: 'openid',
      login_hint: 'alice@example.com',
      binding_message: 'Pay 25 EUR to Corner Shop',
      requested_expiry: '120',
    },
    signed: {},
    clientCertificate: false,
  },
  problem: null,
};

export const ruleExample = {
  id: ruleId,
  name: 'Approve a payment',
  type: 'one-time-authorization',
  tokenProviderId,
  clientId: 'assent',
  clientCredentials: { type: 'secret', clientSecretSetAt: createdAt, method: null },
  loginHintAttribute: 'email',
  hintKind: 'login_hint',
  hintTemplate: null,
  subjectPolicy: 'record',
  subjectAttribute: null,
  scopes: [],
  requestedExpirySeconds: 120,
  timeoutRejectionHandlerId: null,
  denyRejectionHandlerId: null,
  errorRejectionHandlerId: null,
  bindingMessage: 'Pay {{amount}} to Corner Shop',
  deliveryMode: 'poll',
  acrValues: [],
  signedRequest: false,
  fapi: false,
  dpop: false,
  authorizationDetails: null,
  extraParameters: {},
  releaseAccessToken: false,
  consumeWithinSeconds: 300,
  onInitiationUnknown: 'fail',
  promptLimits: null,
  joinIdentical: false,
  enabled: true,
  ...times,
};

export const tokenProviderBodyExample = {
  name: 'Bank login',
  issuer: 'https://login.example.com',
  profile: 'generic',
};

export const tokenProviderExample = {
  id: tokenProviderId,
  ...tokenProviderBodyExample,
  metadata: null,
  trustedCertificates: [],
  discovery: { state: 'ok', checkedAt: createdAt, problem: null },
  alerts: [],
  ...times,
};

const finding = (code: FindingCode, detail: string, ofRule = false) => ({
  ...providerFindings[code],
  code,
  ...(ofRule && { rule: { id: ruleId, name: ruleReference.name } }),
  detail,
});

export const providerCheckExample = {
  checkedAt: createdAt,
  ok: false,
  findings: [
    finding('client_secret_refused', 'The token endpoint answered 401 invalid_client to client "assent".', true),
    finding('tls_certificate_expires_soon', 'https://login.example.com: valid until 2026-03-20T00:00:00.000Z.'),
  ],
};

export const keyPairPem = {
  alias: 'bank client 2026',
  pem: {
    certificate: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
    privateKey: '-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n',
  },
};

export const keyPairExample = {
  id: keyPairId,
  alias: 'bank client 2026',
  subject: 'CN=assent.example.com',
  issuer: 'CN=Bank Client CA',
  serialNumber: '4F2A91',
  notBefore: '2026-01-01T00:00:00.000Z',
  notAfter: '2027-01-01T00:00:00.000Z',
  status: 'valid',
  daysLeft: 305,
  keyAlgorithm: 'EC P-256',
  sha256Fingerprint: 'B1:7A:0C:59:E2:44:90:1D:63:FE:88:2B:57:CC:10:A9:3E:71:D4:06:95:BF:28:6A:E0:1C:47:D3:5B:82:F6:09',
  subjectAlternativeNames: ['DNS:assent.example.com'],
  certificateChain: ['-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n'],
  warnings: [],
  usedBy: {
    rules: [{ id: ruleExample.id, name: ruleExample.name }],
    tokenProviders: [{ id: tokenProviderExample.id, name: tokenProviderExample.name }],
  },
  ...times,
};
export const keyPairGenerate = {
  alias: 'bank client 2027',
  generate: {
    subject: 'CN=assent.example.com, O=Example, C=DE',
    keyAlgorithm: 'EC P-256',
    subjectAlternativeNames: ['DNS:assent.example.com'],
  },
};
export const certificateRequestExample = {
  csr: '-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n',
};
export const certificateReplacementExample = {
  certificate: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
};

export const rejectionHandlerBodyExample = {
  name: 'Payment was not approved',
  type: 'error-template',
  status: 403,
  contentType: 'text/html; charset=utf-8',
  template: '<h1>{{header}}</h1><p>{{info}}</p>',
};

export const redirectBodyExample = {
  name: 'Back to the basket',
  type: 'redirect',
  url: 'https://shop.example.com/basket?payment=refused',
};

export const rejectionHandlerExample = {
  id: handlerId,
  ...rejectionHandlerBodyExample,
  predefined: false,
  ...times,
};

export const webhookEndpointBodyExample = {
  name: 'Audit trail',
  url: 'https://audit.example.com/decisions',
  events: ['decision.approved', 'decision.denied'],
  description: 'Every decision, for the auditors',
};

export const webhookEndpointExample = {
  id: endpointId,
  ...webhookEndpointBodyExample,
  enabled: true,
  disabledReason: null,
  disabledAt: null,
  failingSince: null,
  previousSecretUntil: null,
  ...times,
};
export const createdWebhookEndpointExample = {
  ...webhookEndpointExample,
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
};

export const deliveryExample = {
  id: '01948b9e-9014-7e6f-9b52-88d1b3020ac5',
  webhookId: decisionId,
  type: 'decision.denied',
  authorizationRequestId: deniedDecision.authorizationRequestId,
  url: 'https://audit.example.com/decisions',
  state: 'delivered',
  attempts: [{ at: '2026-03-02T09:15:21.790Z', status: 204, problem: null, durationMs: 41 }],
  nextAttemptAt: null,
  createdAt: decidedAt,
};

export const rotatedWebhookEndpointExample = {
  ...createdWebhookEndpointExample,
  previousSecretUntil: '2026-03-03T09:15:21.412Z',
  version: 2,
};
export const replayedDeliveryExample = {
  ...deliveryExample,
  state: 'pending',
  nextAttemptAt: '2026-03-02T10:00:00.000Z',
};
export const testDeliveryExample = {
  ...deliveryExample,
  webhookId: '01948b9e-9014-7e6f-9b52-88d1b3020ac6',
  type: 'test.ping',
  authorizationRequestId: null,
  state: 'pending',
  attempts: [],
  nextAttemptAt: decidedAt,
};
export const noticeExamples = {
  'key_pair.expiring': { id: keyPairId, alias: 'bank client 2026', notAfter: '2027-01-01T00:00:00.000Z', daysLeft: 14 },
  'webhook_endpoint.disabled': {
    id: endpointId,
    host: 'audit.example.com',
    description: 'Audit trail',
    reason: 'failing',
    failingSince: '2026-02-25T08:00:00.000Z',
    disabledAt: '2026-03-02T08:10:00.000Z',
  },
  'test.ping': { endpointId },
} as const;

export const apiClientBodyExample = { name: 'Corner Shop', scopes: ['requests:write', 'requests:read'] };
export const apiClientBodyLimited = {
  name: 'Payroll',
  scopes: ['requests:write', 'requests:read'],
  rules: [ruleExample.id],
  subjects: [{ endsWith: '@example.com', attributes: { department: 'finance' } }, { equals: 'ceo@example.org' }],
};
export const apiClientBodyOauth = {
  name: 'Warehouse',
  scopes: ['requests:write', 'requests:read'],
  oauthClient: { issuer: 'https://login.example.com', clientId: 'warehouse' },
};
export const apiClientExample = {
  id: clientId,
  ...apiClientBodyExample,
  enabled: true,
  rules: null,
  subjects: null,
  requestsPerMinute: null,
  expiresAt: null,
  oauthClient: null,
  previousKey: null,
  lastUsedAt: decidedAt,
  keyPrefix: 'assent_Jx3k',
  hasCallbackSecret: false,
  ...times,
};
export const createdApiClientExample = {
  ...apiClientExample,
  key: 'assent_Jx3kT0aUeNw5rYbQ8mVd2GhLpZsC7fXi',
  callbackSecret: null,
};

export const deadLetterExample = {
  id: '5c3e0f0a-6f0e-8c57-9a55-2f1d6f0b7c11',
  queue: 'decision-service.authorization.denied',
  reason: 'Error: the disk is full',
  attempts: 4,
  diedAt: '2026-03-02T09:15:58.000Z',
  ageSeconds: 312,
  event: {
    id: '01948b9e-8c1f-7d3a-a0b5-5d1b8f6f2f4e',
    type: 'assent.authorization.denied.v1',
    subject: '01948b9e-7a10-7c41-8a35-0b3f6c1d9e02',
  },
  bytes: 412,
};

export const rotatedApiClientExample = {
  ...apiClientExample,
  previousKey: { prefix: 'assent_9fQe', expiresAt: decidedAt },
  expiresAt: '2027-03-02T09:15:42.000Z',
  key: createdApiClientExample.key,
};

export const signingKeysExample = {
  data: [
    {
      kid: 'Zp0zXyS3cYkX7m1b0mQvYy3t2k8QhVdI3m8sB6cN0aE',
      use: 'client-assertion',
      alg: 'ES256',
      state: 'current',
      createdAt: '2025-03-02T09:15:42.000Z',
      activatedAt: '2025-03-02T10:00:00.000Z',
      retiredAt: null,
    },
    {
      kid: 'k5mQbq5mF1vTz8nJd2oXw9cR7aLhYpE4uSiG6tKxN0A',
      use: 'client-assertion',
      alg: 'ES256',
      state: 'next',
      createdAt: decidedAt,
      activatedAt: null,
      retiredAt: null,
    },
  ],
};

export const masterKeysExample = {
  data: [
    {
      id: 'k2',
      state: 'active',
      createdAt: decidedAt,
      resealedAt: null,
      sealedValues: 41_200,
      openRequests: 0,
      removable: false,
    },
    {
      id: 'k1',
      state: 'opens',
      createdAt: '2025-03-02T09:15:42.000Z',
      resealedAt: null,
      sealedValues: 1_800,
      openRequests: 2,
      removable: false,
    },
  ],
};

export const erasureBodies = {
  byHint: { loginHint: 'alice@example.com', open: 'cancel' },
  bySubject: { subject: '248289761001' },
};
export const auditEventExample = {
  id: '01948b9e-9f13-7a6f-9b52-88d1b3a2eac5',
  sequence: 1204,
  at: createdAt,
  actor: { type: 'api-client', id: clientId, name: 'Shop' },
  action: 'rule.updated',
  resource: { type: 'rule', id: ruleId, name: 'Approve a payment' },
  requestId: '5f1d2c9a-6a0e-4f0c-9a3e-2b8f0f6f7d11',
  changes: [{ pointer: '/consumeWithinSeconds', before: 300, after: 120 }],
  detail: { version: 3 },
  personal: null,
  personalSalt: null,
  personalSha256: null,
  hash: 'mN0xq0L1v2kD3bq5yqfWm2o6Yt8m1n0c5s7h9d3f1aE',
};
export const auditHeadExample = {
  batch: 87,
  firstSequence: 1190,
  lastSequence: 1204,
  previousHash: 'Zr4T0y8Qm1n2o3p4q5r6s7t8u9v0w1x2y3z4A5B6C7D',
  hash: 'mN0xq0L1v2kD3bq5yqfWm2o6Yt8m1n0c5s7h9d3f1aE',
  sealedAt: decidedAt,
  kid: 'Qh8m0L7c5s3n1v9d2f4g6j8k0l2z4x6c8v0b2n4m6qE',
  signature: 'eyJhbGciOiJFZERTQSJ9.eyJiYXRjaCI6ODd9.c2lnbmF0dXJl',
};
export const erasureExample = { id: clientId, erased: 14, cancelled: 1, createdAt: decidedAt };

export const readyExample = {
  status: 'ready',
  checks: [{ name: 'database', ok: true, reason: null, whatToDo: null }],
};
export const notReadyExample = {
  status: 'not-ready',
  checks: [
    {
      name: 'database',
      ok: false,
      reason: 'the database does not answer',
      whatToDo: 'See that Postgres runs, that DATABASE_URL names it and that this machine reaches it.',
    },
  ],
};

export const configurationExample = {
  version: 1,
  tokenProviders: [{ name: 'Bank login', issuer: 'https://login.example.com', profile: 'keycloak' }],
  rules: [
    {
      name: 'Approve a transfer',
      tokenProvider: 'Bank login',
      clientId: 'assent',
      clientCredentials: { type: 'secret', clientSecret: 'a secret of the provider' },
      loginHintAttribute: 'email',
      bindingMessage: 'Transfer {{amount}} to {{payee}}',
    },
  ],
};
export const exportedConfigurationExample = {
  ...configurationExample,
  rules: [
    {
      ...configurationExample.rules[0]!,
      clientCredentials: { type: 'secret', clientSecret: '${env:ASSENT_RULE_APPROVE_A_TRANSFER_CLIENT_SECRET}' },
    },
  ],
};
export const configurationChangeExample = {
  kind: 'rule',
  name: 'Approve a transfer',
  action: 'update',
  changes: [
    { pointer: '/bindingMessage', before: null, after: 'Transfer {{amount}} to {{payee}}' },
    { pointer: '/clientCredentials/clientSecret', before: '(secret)', after: '(secret)' },
  ],
};
export const configurationResultExample = {
  changes: [configurationChangeExample],
  unchanged: 1,
  dryRun: false,
  secrets: [],
};

export const pingAccessImportBodyExample = {
  export: {
    version: '8.0.0.0',
    data: {
      tokenProvider: { type: 'PingFederate' },
      pingFederateRuntime: { issuer: 'https://login.example.com' },
      rules: [
        {
          id: 17,
          name: 'Approve a payment',
          className: 'com.example.OneTimeAuthorizationRule',
          configuration: {
            oauthClientCredentials: {
              clientId: 'payments',
              credentialsType: 'SECRET',
              clientSecret: { encryptedValue: 'OBF:JWE:…' },
            },
            loginHintRequestAttribute: 'email',
            denyRejectionHandler: '1',
          },
        },
      ],
      rejectionHandlers: [{ id: 1, name: 'Default Web Rejection Handler' }],
    },
  },
  dryRun: true,
};
export const pingAccessImportExample = {
  items: [
    {
      source: '/data/pingFederateRuntime',
      kind: 'token-provider',
      name: 'PingFederate',
      outcome: 'create',
      notes: [],
      needs: [],
    },
    {
      source: '/data/rejectionHandlers/0',
      kind: 'rejection-handler',
      name: 'Default Web Rejection Handler',
      outcome: 'exists',
      notes: [],
      needs: [],
    },
    {
      source: '/data/rules/0',
      kind: 'rule',
      name: 'Approve a payment',
      outcome: 'needs-input',
      notes: [],
      needs: [{ key: 'rules/17/clientSecret', what: 'Its client secret: the export holds none that can be read.' }],
    },
  ],
  ignored: [],
  dryRun: true,
  result: null,
};
