import type { Decision } from '#lib/contracts';
import type { Database, DeliveryWork, EventCause } from '#lib/persistence';
import { v7 as newId } from 'uuid';
import { leaseSeconds } from './callbacks/deliver-decisions.js';
import type { Place } from './callbacks/lanes.js';
import { decisionDocument } from './decision-document.js';
import { hasEnded } from './ended-request.js';
import { receiptClaims, signReceipt } from './receipt.js';

/** How the recording went; only `recorded` changed anything. */
export type RecordOutcome = 'recorded' | 'already-recorded' | 'not-ended' | 'unknown-request';

/** What recording a decision needs. */
export interface RecordDecisionOptions {
  readonly database: Pick<Database, 'decisions' | 'signingKeys'>;
  /** The `iss` of receipts. */
  readonly issuer: string;
  /** Holds a place to send a callback from right after the commit; null, or left out, when it is to be claimed. */
  readonly hold?: (callbackUrl: string) => Place<DeliveryWork> | null;
  /** Called after each commit that left deliveries to claim. */
  readonly onRecorded: () => void;
  readonly now?: () => Date;
}

/** Writes the one decision of a request that has ended; whoever else tries finds it written. */
export class RecordDecision {
  constructor(private readonly options: RecordDecisionOptions) {}

  /** `cause` is the event that told of the end; null when a sweep found it. */
  async run(requestId: string, cause: EventCause | null): Promise<RecordOutcome> {
    const { database } = this.options;
    const context = await database.decisions.context(requestId);
    if (context === null) return 'unknown-request';
    if (!hasEnded(context)) return 'not-ended';
    if (context.decided) return 'already-recorded';
    const decision = await this.#withReceipt(decisionDocument(newId(), context));
    return this.#record(decision, cause, context.callbackUrl);
  }

  // Two that get here at once compose two documents; the database takes the first and keeps no trace of the other.
  async #record(decision: Decision, cause: EventCause | null, callbackUrl: string | null) {
    const { database, hold, onRecorded } = this.options;
    let place = callbackUrl === null ? null : (hold?.(callbackUrl) ?? null);
    try {
      const callbackLeaseSeconds = place && leaseSeconds;
      const { kind, callback, unclaimed } = await database.decisions.recordAndLease({
        decision,
        cause,
        callbackLeaseSeconds,
      });
      if (place && callback) {
        place.run(callback);
        place = null;
      }
      if (unclaimed) onRecorded();
      return kind;
    } finally {
      place?.free();
    }
  }

  async #withReceipt(decision: Decision): Promise<Decision> {
    if (decision.outcome !== 'approved') return decision;
    const { database, issuer, now = () => new Date() } = this.options;
    const key = await database.signingKeys.current('receipt');
    return { ...decision, receipt: await signReceipt(receiptClaims(decision, issuer, now()), key) };
  }
}
