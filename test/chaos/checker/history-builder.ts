/** Writes down a run that never happened, as a run that went well would have: each step leaves what it leaves. */

import {
  createHash,
  createHmac,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto';
import { answersOf } from './read-run.js';
import type {
  AmqpLine,
  Artefact,
  ClientLine,
  FaultLine,
  Operation,
  ProviderLine,
  RecordedRun,
  RecoveryLine,
  RunFacts,
  WebhookLine,
} from './history-lines.js';

type Changeable<T> = { -readonly [Member in keyof T]: T[Member] };
export type LooseRow = Record<string, unknown>;

/** The folder of a run as values that a test may change. */
export interface PaperRun {
  run: Changeable<RunFacts>;
  clients: Changeable<ClientLine>[];
  provider: Changeable<ProviderLine>[];
  webhooks: Changeable<WebhookLine>[];
  amqp: Changeable<AmqpLine>[];
  faults: Changeable<FaultLine>[];
  recovery: Changeable<RecoveryLine>[];
  sometimes: Record<string, number>;
  database: Record<string, LooseRow[]>;
  logs: Record<string, string>;
}

/** A request of a paper run, and what happened to it so far. */
export interface PaperRequest {
  readonly row: LooseRow;
  readonly client: string;
  readonly key: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly wantsCallback: boolean;
  authReqId: string | null;
  intervalMs: number;
}

export const seconds = 1_000;
const issuer = 'https://op.example';
const publicUrl = 'https://assent.example';
const sha256 = (text: string) => createHash('sha256').update(text).digest();
const iso = (atMs: number) => new Date(atMs).toISOString();

/** What the run itself may be asked for beside its paper. */
export interface Keys {
  readonly callback: { readonly kid: string; readonly key: KeyObject };
  readonly receipt: { readonly kid: string; readonly key: KeyObject };
}

export class HistoryBuilder {
  readonly paper: PaperRun;
  readonly keys: Keys;
  nowMs = Date.parse('2026-01-05T10:00:00.000Z');
  #position = 0;

  constructor() {
    const callback = generateKeyPairSync('ed25519');
    const receipt = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.keys = {
      callback: { kid: 'callback-1', key: callback.privateKey },
      receipt: { kid: 'receipt-1', key: receipt.privateKey },
    };
    const secret = () => `whsec_${randomBytes(32).toString('base64')}`;
    const rule = (name: string, more: object) => ({
      id: randomUUID(),
      name,
      version: 1,
      onInitiationUnknown: 'fail' as const,
      releaseAccessToken: false,
      deliveryMode: 'poll' as const,
      consumeWithinSeconds: 300,
      loginHintAttribute: 'email',
      ...more,
    });
    const tables = [
      'authorization_requests',
      'request_timeline',
      'decisions',
      'deliveries',
      'delivery_attempts',
      'outbox',
      'inbox',
      'start_attempts',
    ];
    this.paper = {
      run: {
        mode: 'full',
        seed: 1,
        requests: 0,
        faultsPlanned: 0,
        startedAtMs: this.nowMs,
        quiescedAtMs: this.nowMs,
        settings: { issuer, publicUrl, leaseMs: 10_000, callTimeoutMs: 10_000 },
        jwks: [
          { ...callback.publicKey.export({ format: 'jwk' }), kid: 'callback-1', alg: 'EdDSA', use: 'sig' },
          { ...receipt.publicKey.export({ format: 'jwk' }), kid: 'receipt-1', alg: 'ES256', use: 'sig' },
        ],
        canaries: { clientSecret: 'canary-client-secret-7f3a', loginHint: ['canary-hint-51c2@example.com'] },
        webhookEndpoints: [
          {
            id: randomUUID(),
            url: 'http://127.0.0.1:9/all',
            secrets: [secret(), secret()],
            events: ['approved', 'denied', 'expired', 'cancelled', 'failed'].map((outcome) => `decision.${outcome}`),
          },
          { id: randomUUID(), url: 'http://127.0.0.1:9/yes', secrets: [secret()], events: ['decision.approved'] },
        ],
        rules: [
          rule('Pay', {}),
          rule('Ask again', { onInitiationUnknown: 'ask-again' }),
          rule('Ping', { deliveryMode: 'ping' }),
        ],
        apiClients: [
          { name: 'shop', id: randomUUID() },
          { name: 'bank', id: randomUUID() },
        ],
      },
      clients: [],
      provider: [],
      webhooks: [],
      amqp: [],
      faults: [],
      recovery: [],
      sometimes: {},
      database: Object.fromEntries(tables.map((name) => [name, []])),
      logs: { 'poller-1-1.log': '{"message":"ready"}\n' },
    };
  }

  pass(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** A call of a client, and its answer 20 ms later; null: the answer is lost. */
  call(client: string, op: Operation, what: Partial<ClientLine>, answer: Partial<ClientLine> | null): void {
    const line = { callId: randomUUID(), client, op, ...what };
    this.paper.clients.push({ kind: 'sent', atMs: this.nowMs, ...line });
    this.pass(20);
    this.paper.clients.push({ kind: answer === null ? 'lost' : 'answered', atMs: this.nowMs, ...line, ...answer });
  }

  submit(
    options: { client?: string; rule?: string; keyed?: boolean; callback?: boolean; answerLost?: boolean } = {},
  ): PaperRequest {
    const { client = 'shop', keyed = true, callback = false, answerLost = false } = options;
    const rule = this.paper.run.rules.find(({ name }) => name === (options.rule ?? 'Pay'))!;
    const number = this.rows('authorization_requests').length + 1;
    const row: LooseRow = {
      id: randomUUID(),
      status: 'requested',
      state_version: 0,
      reason: null,
      provider_error: null,
      api_client_id: this.paper.run.apiClients.find(({ name }) => name === client)!.id,
      idempotency_key: keyed ? `key-${number}` : null,
      rule_id: rule.id,
      rule_version: rule.version,
      binding_message: `pay ${number}`,
      callback_url: callback ? `http://127.0.0.1:9/callback/${number}` : null,
      request_hash: sha256(`request ${number}`).toString('base64url'),
      created_at: iso(this.nowMs + 5),
      sent_at: null,
      expires_at: null,
      auth_req_id_sha256: null,
      evidence: null,
      late_evidence: null,
      id_token_sha256: null,
      granted_scope: null,
      released_token: null,
      consume_by: null,
      consumed_at: null,
      consumed_by: null,
      consume_key: null,
      ended_at: null,
      decision_id: null,
    };
    const attributes = { email: `person-${number}@example.com`, amount: number };
    const request: PaperRequest = {
      row,
      client,
      key: keyed ? `key-${number}` : null,
      attributes,
      wantsCallback: callback,
      authReqId: null,
      intervalMs: 5 * seconds,
    };
    this.rows('authorization_requests').push(row);
    this.#enter(request, 'requested', { rule: rule.name, version: 1 });
    this.submitCall(request, answerLost);
    return request;
  }

  /** The call that submits a request, once more for a repetition. */
  submitCall(request: PaperRequest, answerLost = false, more: Partial<ClientLine> = {}): void {
    this.call(
      request.client,
      'submit',
      { idempotencyKey: request.key, bodyHash: `body of ${request.key}`, attributes: request.attributes },
      answerLost
        ? null
        : { status: 202, requestId: request.row['id'] as string, answer: this.document(request), ...more },
    );
  }

  /** The request's document as the API shows it now. */
  document({ row }: PaperRequest): object {
    const decision = this.rows('decisions').find(({ request_id }) => request_id === row['id']);
    return {
      id: row['id'],
      status: row['status'],
      reason: row['reason'],
      decision: decision === undefined ? null : (JSON.parse(decision['document'] as string) as object),
      consumedAt: row['consumed_at'],
      links: { self: `/v1/authorization-requests/${row['id'] as string}` },
    };
  }

  get(request: PaperRequest): void {
    const id = request.row['id'] as string;
    this.call(request.client, 'get', { requestId: id }, { status: 200, answer: this.document(request) });
  }

  /** A start call that reaches the provider; the attempt is written down before. */
  start(request: PaperRequest, answer: Partial<ProviderLine>, outcome: string): LooseRow {
    const { row } = request;
    const attempts = this.rows('start_attempts');
    const attempt: LooseRow = {
      id: randomUUID(),
      request_id: row['id'],
      number: attempts.filter(({ request_id }) => request_id === row['id']).length + 1,
      sent_at: iso(this.nowMs),
      closed_at: iso(this.nowMs + 40),
      outcome,
    };
    attempts.push(attempt);
    this.pass(10);
    this.paper.provider.push({
      kind: 'start',
      atMs: this.nowMs,
      bindingMessage: row['binding_message'] as string,
      loginHint: request.attributes['email'] as string,
      ...answer,
    });
    this.pass(30);
    return attempt;
  }

  /** An acknowledged start call. */
  initiate(request: PaperRequest, expiresInSeconds = 120, intervalMs = 5 * seconds): void {
    const authReqId = `auth-${randomUUID()}`;
    const attempt = this.start(
      request,
      { said: 'acknowledged', authReqId, intervalMs, expiresInSeconds, delivered: true },
      'acknowledged',
    );
    const { row } = request;
    row['status'] = 'pending';
    row['sent_at'] = attempt['sent_at'];
    row['expires_at'] = iso(Date.parse(attempt['sent_at'] as string) + expiresInSeconds * seconds);
    row['auth_req_id_sha256'] = `\\x${sha256(authReqId).toString('hex')}`;
    request.authReqId = authReqId;
    request.intervalMs = intervalMs;
    this.#enter(request, 'initiated', { expiresInSeconds, intervalSeconds: intervalMs / seconds });
  }

  person(request: PaperRequest, person: 'approve' | 'deny'): void {
    this.#tell(request, { kind: 'person', person });
  }

  ping(request: PaperRequest, times = 1): void {
    for (let count = 0; count < times; count++) this.#tell(request, { kind: 'ping-sent', delivered: true });
    this.#enter(request, 'pinged', {}, false);
  }

  /** One poll, an interval after the last one. */
  poll(
    request: PaperRequest,
    said: ProviderLine['said'],
    more: Partial<ProviderLine> = {},
    afterMs?: number,
  ): string | null {
    this.pass(afterMs ?? request.intervalMs);
    const tokens = said === 'tokens';
    const idTokenSha256 = tokens ? sha256(randomUUID()).toString('base64url') : null;
    this.#tell(request, {
      kind: 'token',
      said,
      intervalMs: request.intervalMs,
      delivered: true,
      ...(tokens && { idTokenSha256, sub: `subject of ${String(request.attributes['email'])}` }),
      ...more,
    });
    if (said === 'slow_down') request.intervalMs += 5 * seconds;
    this.pass(30);
    return idTokenSha256;
  }

  evidence(request: PaperRequest, idTokenSha256: string): object {
    const subject = `subject of ${String(request.attributes['email'])}`;
    return { issuer, subject, acr: null, amr: null, authTime: null, idTokenSha256 };
  }

  /** The end of a request, with its decision and everything that follows from it. */
  end(request: PaperRequest, status: string, more: LooseRow = {}, detail: LooseRow = {}): void {
    const { row } = request;
    Object.assign(row, { status, ended_at: iso(this.nowMs), ...more });
    this.#enter(request, status, detail);
    this.pass(15);
    this.#decide(request);
  }

  approve(request: PaperRequest): void {
    this.person(request, 'approve');
    const idTokenSha256 = this.poll(request, 'tokens')!;
    this.end(request, 'approved', {
      evidence: this.evidence(request, idTokenSha256),
      id_token_sha256: idTokenSha256,
      granted_scope: 'openid',
      consume_by: iso(this.nowMs + 300 * seconds),
    });
  }

  lateEvidence(request: PaperRequest): void {
    const idTokenSha256 = this.poll(request, 'tokens', {}, 200)!;
    Object.assign(request.row, {
      late_evidence: this.evidence(request, idTokenSha256),
      id_token_sha256: idTokenSha256,
    });
    this.#enter(request, 'late_evidence', {}, false, false);
  }

  cancel(request: PaperRequest): void {
    const id = request.row['id'] as string;
    this.pass(10);
    this.end(request, 'cancelled');
    this.call(request.client, 'cancel', { requestId: id }, { status: 200, answer: this.document(request) });
    // The call was sent before the end that it caused.
    this.paper.clients.at(-2)!.atMs = Date.parse(request.row['ended_at'] as string) - 10;
  }

  consume(request: PaperRequest, consumeKey: string | null, more: Partial<ClientLine> = {}): void {
    const { row } = request;
    const id = row['id'] as string;
    const first = row['consumed_at'] === null;
    if (first) {
      Object.assign(row, {
        consumed_at: iso(this.nowMs + 10),
        consumed_by: row['api_client_id'],
        consume_key: consumeKey,
      });
      this.#enter(request, 'consumed', {}, false);
    }
    const { decision } = this.document(request) as { decision: unknown };
    const won = { decision, consumedAt: row['consumed_at'], accessToken: null };
    const sent = { requestId: id, consumeKey, attributes: request.attributes, ...more };
    this.call(request.client, 'consume', sent, { status: 200, answer: won, ...(!first && { replayed: true }) });
  }

  refuse(
    request: PaperRequest,
    op: Operation,
    status: number,
    problemCode: string,
    more: Partial<ClientLine> = {},
  ): void {
    const sent = { requestId: request.row['id'] as string, ...more };
    this.call(request.client, op, sent, { status, problemCode, answer: { status, code: problemCode } });
  }

  fault(kind: string, target: string, forMs: number, recoveredInMs?: number): FaultLine {
    const faultId = `fault-${this.paper.faults.length + 1}`;
    const fault = { faultId, kind, target, fromMs: this.nowMs, untilMs: this.nowMs + forMs, detail: null };
    this.paper.faults.push(fault);
    if (recoveredInMs !== undefined) {
      const healedAtMs = fault.untilMs;
      this.paper.recovery.push({ faultId, kind, target, healedAtMs, flowedAgainAtMs: healedAtMs + recoveredInMs });
    }
    return fault;
  }

  /** Signs a delivery as Standard Webhooks says. */
  sign(line: Changeable<WebhookLine>, atMs: number, secrets: readonly string[], withKey: boolean): void {
    const timestamp = String(Math.floor(atMs / seconds));
    const content = `${line.headers['webhook-id']}.${timestamp}.${line.body}`;
    const hmac = (secret: string) =>
      `v1,${createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
        .update(content)
        .digest('base64')}`;
    const { kid, key } = this.keys.callback;
    const signatures = [
      ...(withKey ? [`v1a,${sign(null, Buffer.from(content), key).toString('base64')}`] : []),
      ...secrets.map(hmac),
    ];
    line.headers = {
      'webhook-id': line.headers['webhook-id']!,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
      ...(withKey && { 'webhook-key-id': kid }),
    };
  }

  rows(table: string): LooseRow[] {
    return this.paper.database[table]!;
  }

  #tell({ authReqId }: PaperRequest, line: Partial<ProviderLine> & Pick<ProviderLine, 'kind'>): void {
    this.paper.provider.push({ atMs: this.nowMs, authReqId, ...line });
  }

  /** A line of the timeline, with the version and the event that belong to it. */
  #enter({ row }: PaperRequest, type: string, detail: LooseRow, tells = true, versions = type !== 'pinged'): void {
    this.rows('request_timeline').push({
      // As Postgres' driver gives a bigint.
      position: String(++this.#position),
      request_id: row['id'],
      at: iso(this.nowMs),
      type,
      detail,
    });
    if (versions) row['state_version'] = (row['state_version'] as number) + 1;
    if (!tells && type !== 'pinged') return;
    const id = this.#store(row, `authorization.${type}`, {
      authorizationRequestId: row['id'],
      status: row['status'],
      reason: row['reason'],
      stateVersion: row['state_version'],
    });
    if (type === 'requested') this.rows('inbox').push({ consumer: 'ciba-worker', event_id: id });
  }

  #store(row: LooseRow, routingKey: string, data: object): string {
    const id = randomUUID();
    const event = {
      specversion: '1.0',
      id,
      source: '/assent',
      type: `assent.${routingKey}.v1`,
      subject: row['id'],
      time: iso(this.nowMs),
      datacontenttype: 'application/json',
      data,
    };
    this.rows('outbox').push({
      id,
      exchange: routingKey.startsWith('decision.') ? 'assent.decisions' : 'assent.authorizations',
      routing_key: routingKey,
      event,
      created_at: iso(this.nowMs),
      tried_at: null,
      published_at: iso(this.nowMs + 8),
    });
    return id;
  }

  #decide(request: PaperRequest): void {
    const { row } = request;
    const id = randomUUID();
    const cause = this.rows('outbox').at(-1)!['id'];
    const document = {
      id,
      authorizationRequestId: row['id'],
      outcome: row['status'],
      reason: row['reason'],
      providerError: null,
      rule: { id: row['rule_id'], name: 'Pay', version: 1 },
      decidedAt: row['ended_at'],
      rejection: null,
      evidence: row['evidence'],
      receipt: row['status'] === 'approved' ? this.receipt(row, id) : null,
      requestHash: row['request_hash'],
      metadata: { order: 7 },
    };
    row['decision_id'] = id;
    row['state_version'] = (row['state_version'] as number) + 1;
    const outcome = row['status'] as string;
    this.rows('request_timeline').push({
      position: String(++this.#position),
      request_id: row['id'],
      at: iso(this.nowMs),
      type: 'decided',
      detail: { outcome, decisionId: id },
    });
    this.rows('decisions').push({
      id,
      request_id: row['id'],
      outcome,
      document: JSON.stringify(document),
      decided_at: row['ended_at'],
    });
    const eventId = this.#store(row, `decision.${outcome}`, document);
    this.rows('inbox').push({ consumer: 'decision-service', event_id: cause });
    const event = this.rows('outbox').at(-1)!['event'];
    this.paper.amqp.push({
      atMs: this.nowMs + 12,
      queue: 'subscriber',
      routingKey: `decision.${outcome}`,
      messageId: eventId,
      redelivered: false,
      body: JSON.stringify(event),
    });
    this.#deliver(request, id, document);
  }

  #deliver({ row }: PaperRequest, decisionId: string, document: object): void {
    const type = `decision.${String(row['status'])}`;
    const body = `{"type":"${type}","timestamp":"${String(row['ended_at'])}","data":${JSON.stringify(document)}}`;
    const endpoints = this.paper.run.webhookEndpoints.filter(({ events }) => events.includes(type));
    const targets = [
      ...endpoints.map((endpoint) => ({ ...endpoint, kind: 'webhook', endpointId: endpoint.id })),
      ...(row['callback_url'] === null
        ? []
        : [{ url: row['callback_url'] as string, secrets: [], kind: 'callback', endpointId: null }]),
    ];
    for (const { url, kind, endpointId, secrets } of targets) {
      const id = randomUUID();
      this.rows('deliveries').push({
        id,
        decision_id: decisionId,
        request_id: row['id'],
        kind,
        endpoint_id: endpointId,
        url,
        state: 'delivered',
        failed_attempts: 0,
      });
      this.rows('delivery_attempts').push({ delivery_id: id, at: iso(this.nowMs), duration_ms: 5, status: 200 });
      const line = {
        atMs: this.nowMs + 20,
        endpointId,
        url: endpointId === null ? new URL(url).pathname : url,
        headers: { 'webhook-id': decisionId },
        body,
        answered: 200,
      };
      this.sign(line, this.nowMs, secrets, endpointId === null);
      this.paper.webhooks.push(line);
    }
  }

  /** A receipt of an approval; `more` replaces claims, `typ` the type. */
  receipt(row: LooseRow, decisionId: string, more: LooseRow = {}, typ = 'assent-receipt+jwt'): string {
    const { kid, key } = this.keys.receipt;
    const evidence = row['evidence'] as { subject: string };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: publicUrl,
      iat: Math.floor(this.nowMs / seconds),
      jti: decisionId,
      authorization_request_id: row['id'],
      request_hash: row['request_hash'],
      outcome: row['status'],
      sub: evidence.subject,
      ...more,
    };
    const content = `${part({ alg: 'ES256', kid, typ })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' });
    return `${content}.${signature.toString('base64url')}`;
  }
}

/** The paper as the checker reads a folder. */
export function recordedRun(paper: PaperRun): RecordedRun {
  const texts: Record<string, string> = {
    'webhooks.jsonl': jsonLines(paper.webhooks),
    'amqp.jsonl': jsonLines(paper.amqp),
    ...Object.fromEntries(
      Object.entries(paper.database).map(([name, rows]) => [`database/${name}.jsonl`, jsonLines(rows)]),
    ),
    ...Object.fromEntries(Object.entries(paper.logs).map(([name, text]) => [`logs/${name}`, text])),
  };
  const artefacts: Artefact[] = Object.entries(texts).map(([name, text]) => ({
    name,
    *pieces() {
      yield Buffer.from(text);
    },
  }));
  return { ...paper, artefacts: [...artefacts, answersOf(paper.clients)] };
}

/** One line of JSON per value. */
export const jsonLines = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');
