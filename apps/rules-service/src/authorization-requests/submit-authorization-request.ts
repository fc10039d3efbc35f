import type { AuthorizationRequestDocument, SubmitAuthorizationRequestBody } from '#lib/contracts';
import { canonicalJson, defaultRejectionHandlers, promptLimitsOf, type PromptLimits } from '#lib/domain';
import type { Database, NewRequest, Repetition, RequestView, RuleForSubmit } from '#lib/persistence';
import { ProblemError, type OutboundGuard } from '#lib/runtime';
import { v7 as uuid } from 'uuid';
import type { Caller } from '../access/caller.js';
import { refuseRule, refuseSubject, ruleNotAllowed } from '../access/entitled.js';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { invalidMember } from '../http/invalid-member.js';
import { refuseAddress } from '../http/refuse-address.js';
import { AwaitRequest, isDecided } from './await-request.js';
import { messageUnder, refuseMissingAttributes } from './question.js';
import { openedHint, personHint, personOf } from './person-hint.js';
import { limitsLeftHeaders, promptLimit, rateLimitRejection } from './prompt-limit.js';
import { pathOf, requestDocument, requestHeaders } from './request-document.js';
import { bodyHash, requestHash } from './request-hash.js';
import type { WaitPreference } from './wait-preference.js';

/** What comes with a submission beside its body. */
export interface Submission {
  readonly caller: Caller;
  readonly body: SubmitAuthorizationRequestBody;
  readonly idempotencyKey: string | null;
  readonly traceparent: string | null;
  readonly wait: WaitPreference;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Accepts a request to ask a person: one commit, then the answer, or the wait for the decision. */
export class SubmitAuthorizationRequest {
  private readonly database: Database;

  constructor(
    private readonly parts: {
      readonly database: Database;
      readonly guard: OutboundGuard;
      /** What holds where rule and client say nothing. */
      readonly limits: PromptLimits;
    },
    private readonly awaitRequest: AwaitRequest,
  ) {
    this.database = parts.database;
  }

  /** @throws ProblemError */
  async run(submission: Submission): Promise<Answer<AuthorizationRequestDocument>> {
    let request: NewRequest;
    try {
      request = await this.newRequest(submission, await this.usableRule(submission));
    } catch (error) {
      // The rule may have changed, or gone, since the first call: whoever repeats that call is answered like it.
      const earlier = error instanceof ProblemError ? await this.submitted(submission) : null;
      if (earlier === null) throw error;
      return this.repeated(submission, earlier);
    }
    const result = await inProblemTerms(this.database.requests.submit(request));
    switch (result.kind) {
      case 'created':
        return this.answer(
          submission,
          acceptedView(request, result.createdAt),
          limitsLeftHeaders(request.limits, result.left),
        );
      case 'joined':
        return this.answer(submission, await this.stored(submission, result.id), { 'request-joined': 'true' });
      case 'limited':
        throw promptLimit(result, await this.rejection(request));
      case 'replayed':
      case 'idempotency-key-reused':
        return this.repeated(submission, result);
    }
  }

  private async rejection({ rule, bindingMessage }: NewRequest) {
    const handler = await this.database.rejectionHandlers.find(defaultRejectionHandlers.rateLimiting);
    return handler && rateLimitRejection(handler, { ruleName: rule.name, bindingMessage });
  }

  private async submitted({ caller, body, idempotencyKey }: Submission): Promise<Repetition | null> {
    if (idempotencyKey === null) return null;
    return this.database.requests.submitted(caller.id, idempotencyKey, bodyHash(body));
  }

  private async repeated(
    submission: Submission,
    repetition: Repetition,
  ): Promise<Answer<AuthorizationRequestDocument>> {
    switch (repetition.kind) {
      case 'replayed':
        return this.answer(submission, await this.stored(submission, repetition.id), { 'idempotent-replayed': 'true' });
      case 'idempotency-key-reused':
        throw new ProblemError(
          'idempotency_key_reused',
          'This Idempotency-Key was sent with another body. Use a new key for a new request.',
        );
    }
  }

  private async stored({ caller }: Submission, id: string): Promise<RequestView> {
    const view = await this.database.requests.view(id, caller.id);
    if (view === null) throw new Error(`The request ${id} was stored and is not there.`);
    return view;
  }

  private async usableRule({ caller, body }: Submission): Promise<RuleForSubmit> {
    const rule = await this.database.rules.findForSubmit(body.rule);
    if (rule === null) {
      // Whoever is limited to some rules learns nothing about the others.
      if (caller.rules !== null) throw ruleNotAllowed();
      const remedy = 'Names count letter by letter; GET /v1/rules (admin:read) lists them.';
      throw invalidMember('/rule', `There is no rule of this id or name. ${remedy}`, 'unknown_rule');
    }
    refuseRule(caller, rule.id);
    if (!rule.definition.enabled) {
      const what = `The rule "${rule.definition.name}" is disabled. Nobody was asked.`;
      throw new ProblemError('rule_disabled', `${what} Enable it, or name another rule.`);
    }
    return rule;
  }

  private async newRequest(
    { caller, body, idempotencyKey, traceparent }: Submission,
    rule: RuleForSubmit,
  ): Promise<NewRequest> {
    const { definition, provider } = rule;
    const readable = await openedHint(rule, body.attributes, this.database.encryptionKeys);
    const hint = personHint(rule, readable);
    const person = personOf(rule, caller.id, hint, readable);
    refuseSubject(caller, person, body.attributes);
    refuseMissingAttributes(definition, body.attributes);
    if (body.callbackUrl !== undefined) refuseAddress(this.parts.guard, body.callbackUrl, '/callbackUrl');
    const message = messageUnder(rule, body.bindingMessage, body.attributes);
    const asked = { ruleId: rule.id, ruleVersion: rule.version, attributes: body.attributes, bindingMessage: message };
    return {
      id: uuid(),
      apiClientId: caller.id,
      idempotencyKey,
      bodyHash: bodyHash(body),
      rule: { id: rule.id, name: definition.name, version: rule.version },
      tokenProviderId: provider.id,
      attributes: body.attributes,
      loginHint: hint,
      person,
      limits: promptLimitsOf(this.parts.limits, definition.promptLimits, caller.requestsPerMinute),
      joinText: definition.joinIdentical
        ? canonicalJson([caller.id, rule.id, rule.version, body.attributes, message, body.callbackUrl ?? null])
        : null,
      bindingMessage: message,
      userCode: body.userCode ?? null,
      metadata: body.metadata ?? {},
      callbackUrl: body.callbackUrl ?? null,
      requestHash: requestHash(asked),
      traceparent,
    };
  }

  private async answer(
    { caller, wait, signal }: Submission,
    accepted: RequestView,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer<AuthorizationRequestDocument>> {
    const waits = accepted.decision === null && wait.seconds > 0 && this.awaitRequest.possible;
    const view = waits
      ? await this.awaitRequest.run(accepted.id, () => this.database.requests.view(accepted.id, caller.id), isDecided, {
          seconds: wait.seconds,
          signal,
        })
      : accepted;
    if (view === null) throw new Error(`The request ${accepted.id} was accepted and is not there.`);
    return {
      status: view.decision === null ? 202 : 201,
      headers: {
        location: pathOf(view.id),
        ...requestHeaders(view),
        ...(wait.applied !== null && (waits || view.decision !== null) && { 'preference-applied': wait.applied }),
        ...headers,
      },
      body: requestDocument(view),
    };
  }
}

/** What the row says right after its commit, without reading it again. */
const acceptedView = (request: NewRequest, createdAt: Date): RequestView => ({
  id: request.id,
  apiClientId: request.apiClientId,
  status: 'requested',
  reason: null,
  providerError: null,
  rule: request.rule,
  bindingMessage: request.bindingMessage,
  requestHash: request.requestHash,
  createdAt,
  expiresAt: null,
  consumedAt: null,
  metadata: request.metadata,
  stateVersion: 1,
  decision: null,
});
