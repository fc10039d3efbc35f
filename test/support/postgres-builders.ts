import { randomBytes, randomUUID } from 'node:crypto';
import type { Decision } from '#lib/contracts';
import { noPromptLimits, ruleDefaults, unlimited, type Command, type Evidence, type RuleDefinition } from '#lib/domain';
import {
  Database,
  generateMasterKey,
  type DecisionContext,
  type NewRequest,
  type RuleRow,
  type TokenProviderRow,
} from '#lib/persistence';
import { v7 as uuid } from 'uuid';
import { freshDatabase } from './postgres.js';

/** An open database of its own, with one provider and one rule in it. */
export interface DatabaseFixture {
  readonly url: string;
  readonly masterKeys: string;
  readonly database: Database;
  readonly provider: TokenProviderRow;
  readonly rule: RuleRow;
  /** Another process on the same database. */
  reopen(source?: string): Promise<Database>;
  close(): Promise<void>;
}

export async function openFixture(): Promise<DatabaseFixture> {
  const fresh = await freshDatabase();
  const masterKeys = generateMasterKey();
  const opened: Database[] = [];
  const reopen = async (source = '/assent/test') => {
    const database = await Database.open({ url: fresh.url, masterKeys, source });
    opened.push(database);
    return database;
  };
  const database = await reopen();
  const provider = await aProvider(database);
  const rule = await aRule(database, { tokenProviderId: provider.id });
  return {
    url: fresh.url,
    masterKeys,
    database,
    provider,
    rule,
    reopen,
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await fresh.drop();
    },
  };
}

export async function aProvider(database: Database, name = `Provider ${randomUUID()}`): Promise<TokenProviderRow> {
  const created = await database.tokenProviders.create({
    name,
    issuer: 'https://op.example',
    profile: 'generic',
    metadata: null,
    trustedCertificates: [],
  });
  if (created.kind !== 'created') throw new Error(created.kind);
  return created.row;
}

export const aDefinition = (
  over: Partial<RuleDefinition> & Pick<RuleDefinition, 'tokenProviderId'>,
): RuleDefinition => ({
  name: `Rule ${randomUUID()}`,
  ...ruleDefaults,
  clientId: 'client',
  clientCredentials: { type: 'secret', method: null },
  loginHintAttribute: 'email',
  scopes: ['payments'],
  ...over,
});

export async function aRule(
  database: Database,
  over: Partial<RuleDefinition> & Pick<RuleDefinition, 'tokenProviderId'>,
): Promise<RuleRow> {
  const clientSecret = (over.clientCredentials?.type ?? 'secret') === 'secret' ? 'client-secret' : null;
  const created = await database.rules.create({ definition: aDefinition(over), clientSecret });
  if (created.kind !== 'created') throw new Error(created.kind);
  return created.row;
}

/** What an API client has when the administrator does not say. */
export const clientDefaults = {
  enabled: true,
  ...unlimited,
  requestsPerMinute: null,
  expiresAt: null,
  oauthClient: null,
} as const;

export const aRequest = (rule: RuleRow, over: Partial<NewRequest> = {}): NewRequest => ({
  id: uuid(),
  apiClientId: '00000000-0000-7000-8000-0000000000aa',
  idempotencyKey: null,
  bodyHash: randomBytes(32),
  rule: { id: rule.id, name: rule.definition.name, version: rule.version },
  tokenProviderId: rule.definition.tokenProviderId,
  attributes: { email: 'alice@example.com' },
  loginHint: 'alice@example.com',
  person: 'alice@example.com',
  limits: noPromptLimits,
  joinText: null,
  bindingMessage: null,
  userCode: null,
  metadata: {},
  callbackUrl: null,
  requestHash: 'hash',
  traceparent: null,
  ...over,
});

/** Submits a request and answers its id. */
export async function submitted(database: Database, rule: RuleRow, over: Partial<NewRequest> = {}): Promise<string> {
  const result = await database.requests.submit(aRequest(rule, over));
  if (result.kind !== 'created') throw new Error(result.kind);
  return result.id;
}

export interface PendingOptions {
  readonly expiresInSeconds?: number;
  readonly intervalSeconds?: number;
  readonly authReqId?: string;
  /** How long ago the start call was sent; a negative deadline is in the past. */
  readonly request?: Partial<NewRequest>;
}

/** Takes a request to `pending` and answers its id. */
export async function pending(database: Database, rule: RuleRow, options: PendingOptions = {}): Promise<string> {
  const id = await submitted(database, rule, options.request);
  const attemptId = uuid();
  const opened = await database.requests.openAttempt({
    requestId: id,
    attemptId,
    instanceId: 'worker-1',
    callTimeoutMs: 10_000,
    cause: null,
  });
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  const result = await database.requests.change(id, {
    type: 'acknowledge',
    attemptId,
    authReqId: options.authReqId ?? randomUUID(),
    sentAt: opened.sentAt,
    expiresInSeconds: options.expiresInSeconds ?? 120,
    intervalSeconds: options.intervalSeconds ?? 5,
  });
  if (result.kind !== 'applied') throw new Error(result.kind);
  return id;
}

export const anEvidence = (over: Partial<Evidence> = {}): Evidence => ({
  issuer: 'https://op.example',
  subject: 'alice',
  acr: null,
  amr: null,
  authTime: 1_760_000_000,
  idTokenSha256: randomBytes(32).toString('base64url'),
  ...over,
});

/** The decision about a request that has ended, with nothing beside its outcome. */
export const aDecision = (context: DecisionContext): Decision => ({
  id: uuid(),
  authorizationRequestId: context.requestId,
  outcome: context.outcome!,
  reason: context.reason,
  providerError: null,
  rule: context.rule,
  decidedAt: context.endedAt.toISOString(),
  rejection: null,
  evidence: null,
  receipt: null,
  requestHash: context.requestHash,
  metadata: {},
});

export const approve = (over: Partial<Extract<Command, { type: 'approve' }>> = {}): Command => ({
  type: 'approve',
  evidence: anEvidence(),
  grantedScope: 'openid payments',
  consumeWithinSeconds: 300,
  releasedToken: null,
  held: false,
  polls: 1,
  ...over,
});

/**
 * Seals until every timeline entry that there is has become part of the audit log. Other databases of the same server
 * may hold it up for a moment: a transaction number says nothing of whose it is.
 */
export async function sealWhole(
  database: Database,
  rows: (text: string) => Promise<readonly { behind: boolean }[]>,
): Promise<void> {
  for (let behind = true; behind;) {
    await database.audit.seal();
    const [first] = await rows(
      'select exists (select from request_timeline t, audit_cursor c where t.position > c.through_position) as behind',
    );
    behind = first!.behind;
  }
}
