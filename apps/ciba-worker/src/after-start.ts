/** What follows from the answer to a start call: pure functions that `MakeAttempt` and its neighbours follow. */

import type { StartOutcome } from '#lib/ciba';
import {
  adjustStart,
  maxPrompts,
  refusedStart,
  startRetryDelayMs,
  type Command,
  type FailureReason,
  type ProviderError,
  type RuleDefinition,
} from '#lib/domain';
import type { ChangeResult, OpenAttemptResult } from '#lib/persistence';

/** An attempt as its outcome is judged. */
export interface JudgedAttempt {
  readonly id: string;
  /** 1 for the first attempt of the request. */
  readonly number: number;
  /** How often the person may have been asked before. */
  readonly earlierPrompts: number;
  /** How long ago the first attempt of the request was opened, in ms. */
  readonly elapsedMs: number;
}

/** What was asked, as far as it may be changed. */
export interface AskedStart extends Pick<RuleDefinition, 'requestedExpirySeconds' | 'onInitiationUnknown'> {
  readonly bindingMessage: string | null;
}

/** What is done about an attempt. */
export type StartStep =
  | { readonly kind: 'change'; readonly command: Command }
  /** The request goes on with another text, in another attempt. */
  | { readonly kind: 'reword'; readonly bindingMessage: string }
  /** The attempt is closed so, and another one follows. */
  | {
      readonly kind: 'again';
      readonly close: 'not-accepted' | 'unknown';
      readonly inMs: number;
      readonly earlierPrompts: number;
      readonly withoutExpiry?: true;
    };

/** Decides what the outcome of a start call means (CIBA Core 1.0 §13; design §4, §11). */
export function afterStart(
  attempt: JudgedAttempt,
  outcome: StartOutcome,
  sentAt: Date,
  asked: AskedStart,
  provider: { readonly refusesExpiry: boolean },
): StartStep {
  const { id: attemptId, earlierPrompts } = attempt;
  switch (outcome.kind) {
    case 'acknowledged': {
      const { authReqId, expiresInSeconds, intervalSeconds } = outcome;
      return change({ type: 'acknowledge', attemptId, authReqId, sentAt, expiresInSeconds, intervalSeconds });
    }
    case 'refused':
      return afterRefusal(attempt, outcome, asked, provider);
    case 'not-accepted': {
      // Nobody was asked: another attempt, within 30 s of the first one.
      const inMs = startRetryDelayMs(attempt.number, attempt.elapsedMs, outcome.retryAfterSeconds);
      if (inMs === null) return fail(attemptId, 'provider_error');
      return { kind: 'again', close: 'not-accepted', inMs, earlierPrompts };
    }
    case 'provider-error':
      return fail(attemptId, 'provider_error');
    case 'unknown':
      return afterUnknownStart(attemptId, earlierPrompts + 1, asked);
    case 'misconfigured':
      return fail(attemptId, 'configuration_error');
  }
}

/** Nobody was asked: another attempt with what the provider may take, or the end. */
function afterRefusal(
  { id: attemptId, earlierPrompts }: JudgedAttempt,
  { error, means }: Extract<StartOutcome, { kind: 'refused' }>,
  asked: AskedStart,
  provider: { readonly refusesExpiry: boolean },
): StartStep {
  const adjustment = adjustStart(means ?? error.code, asked, provider);
  switch (adjustment?.kind) {
    case undefined:
      return change(refusedStart(attemptId, error, means));
    case 'without-expiry':
      return { kind: 'again', close: 'not-accepted', inMs: 0, earlierPrompts, withoutExpiry: true };
    case 'other-text':
      return { kind: 'reword', bindingMessage: adjustment.bindingMessage };
  }
}

/** The person may have been asked, `prompts` times by now: the rule decides. */
export function afterUnknownStart(
  attemptId: string,
  prompts: number,
  { onInitiationUnknown }: Pick<RuleDefinition, 'onInitiationUnknown'>,
): StartStep {
  if (onInitiationUnknown === 'fail' || prompts >= maxPrompts) return fail(attemptId, 'initiation_unknown');
  return { kind: 'again', close: 'unknown', inMs: 0, earlierPrompts: prompts };
}

/**
 * How a request ends for which nobody may be called any more, by what opening an attempt has told; null: a call is under
 * way and speaks for itself, or nothing is left to end. Whether an earlier call rang the phone nobody knows then, and a
 * rule that asks again in such a case cannot have its way.
 */
export function endUncalled(
  attemptId: string,
  opened: OpenAttemptResult,
  providerError: ProviderError | null,
): Command | null {
  switch (opened.kind) {
    case 'lapsed':
      return failStart(opened.attemptId, 'initiation_unknown', null);
    case 'opened':
      return opened.unknownAttempts > 0
        ? failStart(attemptId, 'initiation_unknown', null)
        : failStart(attemptId, 'configuration_error', providerError);
    case 'in-progress':
    case 'not-requested':
    case 'duplicate':
      return null;
  }
}

/** How a request ends that has waited too long for this attempt: nobody was asked, unless an earlier one rang the phone. */
export const giveUp = (attempt: { readonly id: string; readonly unknownAttempts: number }): Command =>
  attempt.unknownAttempts > 0 ? failStart(attempt.id, 'initiation_unknown', null) : { type: 'give-up-start' };

/**
 * How often the person may have been asked before an attempt. Null for `known`: what came of earlier attempts, by other
 * processes, is not known here; each may have been a prompt. Counting too many asks a person too seldom, never too often.
 */
export const promptsBefore = (attemptNumber: number, known: number | null): number => known ?? attemptNumber - 1;

/** What is put to the state machine when a command was not applied; null: the attempt is settled. */
export function afterStartChange(command: Command, result: ChangeResult['kind']): Command | null {
  if (result !== 'evidence-reused' || command.type !== 'acknowledge') return null;
  // One `auth_req_id` never serves two requests.
  return failStart(command.attemptId, 'invalid_evidence', null);
}

const change = (command: Command): StartStep => ({ kind: 'change', command });

const fail = (attemptId: string, reason: FailureReason): StartStep => change(failStart(attemptId, reason, null));

const failStart = (attemptId: string, reason: FailureReason, providerError: ProviderError | null): Command => ({
  type: 'fail-start',
  attemptId,
  reason,
  providerError,
});
