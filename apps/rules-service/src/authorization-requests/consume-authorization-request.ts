import type { ConsumeBody, Consumption, Decision } from '#lib/contracts';
import { canonicalJson, type RefusalCode } from '#lib/domain';
import { Database, type ConsumedApproval, type RequestView } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Injectable } from '@nestjs/common';
import { nameInTimeline, type Caller } from '../access/caller.js';
import { refuseRule, refuseSubject } from '../access/entitled.js';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';
import { invalidMember } from '../http/invalid-member.js';
import { AwaitRequest, isDecided } from './await-request.js';
import { noSuchRequest } from './no-such-request.js';
import { personOf } from './person-hint.js';

/** How long an approval waits for its decision document, which follows within moments. */
const decisionWithinSeconds = 5;

/** How an approval is used. */
export interface Use {
  readonly caller: Caller;
  readonly id: string;
  readonly body: ConsumeBody;
  readonly idempotencyKey: string | null;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Uses an approval: exactly one call succeeds, and only its own repetition is answered like it. */
@Injectable()
export class ConsumeAuthorizationRequest {
  constructor(
    private readonly database: Database,
    private readonly awaitRequest: AwaitRequest,
  ) {}

  /** @throws ProblemError */
  async run(use: Use): Promise<Answer<Consumption>> {
    const { decision, consumedAt } = await this.approval(use);
    try {
      await this.refuseNoLongerAllowed(use, decision);
    } catch (error) {
      // What was used while it was allowed stays used, and its repetition is answered like the first call.
      if (error instanceof ProblemError && (await this.isConsumed(use))) return this.replay(use, decision);
      throw error;
    }
    await this.refuseMismatch(use);
    // What was used stays used: whoever tries again and again takes no lock.
    if (consumedAt !== null) return this.replay(use, decision);
    const { id, caller, idempotencyKey } = use;
    const command = { type: 'consume', by: nameInTimeline(caller), key: idempotencyKey } as const;
    const result = await inProblemTerms(this.database.requests.change(id, command));
    switch (result.kind) {
      case 'applied':
        return answer(decision, await this.consumed(use), {});
      case 'refused':
        if (result.refusal.refused === 'already_consumed') return this.replay(use, decision);
        throw refusal(result.refusal.refused);
      case 'gone':
      case 'fenced-out':
      case 'evidence-reused':
        throw new Error(`Consuming the request ${id} ended in "${result.kind}".`);
    }
  }

  /** An approved request with its decision, which may be on its way. */
  private async approval({ caller, id, signal }: Use): Promise<RequestView & { readonly decision: Decision }> {
    const read = () => this.database.requests.view(id, caller.id);
    const view = await read();
    const decided = isApprovedOnly(view)
      ? await this.awaitRequest.run(id, read, isDecided, { seconds: decisionWithinSeconds, signal })
      : view;
    if (decided === null) throw noSuchRequest();
    if (decided.status !== 'approved') {
      throw new ProblemError('not_approved', `The request is ${decided.status}. Only an approval can be used.`);
    }
    const { decision } = decided;
    if (decision === null) {
      throw new ProblemError('decision_pending', 'The approval is being recorded. Try again in a moment.', {
        headers: { 'retry-after': '1' },
      });
    }
    return { ...decided, decision };
  }

  /** What was allowed when the person was asked may be forbidden by now. */
  private async refuseNoLongerAllowed({ caller }: Use, decision: Decision): Promise<void> {
    const { id: ruleId, name } = decision.rule;
    refuseRule(caller, ruleId);
    const rule = await this.database.rules.findForSubmit(ruleId);
    if (rule?.definition.enabled !== true) {
      throw new ProblemError('rule_disabled', `The rule "${name}" is disabled or gone. Its approvals no longer count.`);
    }
    if (caller.subjects === null) return;
    const asked = await this.database.requests.asked(decision.authorizationRequestId);
    if (asked === null) throw noSuchRequest();
    const { definition, loginHint, attributes } = asked;
    refuseSubject(caller, personOf({ id: ruleId, definition }, caller.id, loginHint, attributes), attributes);
  }

  private async refuseMismatch({ caller, id, body }: Use): Promise<void> {
    if (body.attributes === undefined) return;
    const approved = await this.database.requests.attributes(id, caller.id);
    if (approved !== null && canonicalJson(approved) === canonicalJson(body.attributes)) return;
    const detail = 'The attributes are not those that were approved: do not carry the operation out.';
    throw invalidMember('/attributes', detail, 'request_mismatch');
  }

  private async replay(use: Use, decision: Decision): Promise<Answer<Consumption>> {
    const consumed = await this.consumed(use);
    if (use.idempotencyKey === null || consumed.consumeKey !== use.idempotencyKey) throw refusal('already_consumed');
    return answer(decision, consumed, { 'idempotent-replayed': 'true' });
  }

  private async isConsumed({ id, caller }: Use): Promise<boolean> {
    return (await this.database.requests.consumed(id, caller.id)) !== null;
  }

  private async consumed({ id, caller }: Use): Promise<ConsumedApproval> {
    const consumed = await this.database.requests.consumed(id, caller.id);
    if (consumed === null) throw new Error(`The request ${id} was consumed and is not.`);
    return consumed;
  }
}

const isApprovedOnly = (view: RequestView | null): boolean => view?.status === 'approved' && view.decision === null;

const answer = (
  decision: Decision,
  { consumedAt, accessToken }: ConsumedApproval,
  headers: Readonly<Record<string, string>>,
): Answer<Consumption> => ({
  status: 200,
  headers,
  body: {
    decision,
    consumedAt: consumedAt.toISOString(),
    accessToken: accessToken && { ...accessToken, expiresAt: accessToken.expiresAt?.toISOString() ?? null },
  },
});

function refusal(code: RefusalCode): ProblemError {
  switch (code) {
    case 'already_consumed':
      return new ProblemError('already_consumed', 'The approval was used before. Ask for a new one.');
    case 'approval_lapsed':
      return new ProblemError('approval_lapsed', 'The approval was not used in time. Ask for a new one.');
    case 'not_approved':
    case 'not_requested':
    case 'attempt_closed':
    case 'not_pending':
    case 'not_due':
    case 'already_decided':
      return new ProblemError('not_approved', 'The request is not approved. Only an approval can be used.');
  }
}
