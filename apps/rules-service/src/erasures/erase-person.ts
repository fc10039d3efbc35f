import { namedPerson } from '#lib/ciba';
import type { Erasure, ErasureBody } from '#lib/contracts';
import { Database, type Acting, type PersonSelector } from '#lib/persistence';
import { ProblemError, type Log } from '#lib/runtime';
import { nameInTimeline, type Caller } from '../access/caller.js';
import { AwaitRequest, isDecided } from '../authorization-requests/await-request.js';
import { inProblemTerms } from '../database-problems.js';
import type { Answer } from '../http/answer.js';

/** How long decisions are waited for, which follow within moments. */
const decisionsWithinSeconds = 10;

/** Who asks for whose erasure. */
export interface ErasureOrder {
  readonly caller: Caller;
  readonly acting: Acting;
  readonly body: ErasureBody;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Erases a person: first every request of theirs has to have its decision, then whatever names them goes. */
export class ErasePerson {
  constructor(
    private readonly database: Database,
    private readonly awaitRequest: AwaitRequest,
    private readonly log: Log,
  ) {}

  /** @throws ProblemError `requests_open`, `decision_pending`, `busy` */
  async run({ caller, acting, body, signal }: ErasureOrder): Promise<Answer<Erasure>> {
    const { erasures } = this.database;
    const person = selectorOf(body);
    const cancelled = await this.cancelOpen(person, caller, body.open);
    await this.awaitDecisions(person, signal);
    const erased = await erasures.erase(person, signal);
    const { id, at } = await erasures.record({ by: caller.id, erased, cancelled }, acting);
    this.log.info('A person was erased', { erasureId: id, apiClientId: caller.id, erased, cancelled });
    return { status: 200, headers: {}, body: { id, erased, cancelled, createdAt: at.toISOString() } };
  }

  private async cancelOpen(person: PersonSelector, caller: Caller, open: ErasureBody['open']): Promise<number> {
    const { open: ids } = await this.database.erasures.unfinished(person);
    if (ids.length > 0 && open === 'refuse') {
      const detail = `${ids.length} requests of this person have not ended. Nothing was erased.`;
      throw new ProblemError('requests_open', detail);
    }
    let cancelled = 0;
    for (const id of ids) {
      const result = await inProblemTerms(
        this.database.requests.change(id, { type: 'cancel', by: nameInTimeline(caller) }),
      );
      // What has just ended otherwise needs no withdrawal.
      if (result.kind === 'applied') cancelled++;
    }
    return cancelled;
  }

  private async awaitDecisions(person: PersonSelector, signal: AbortSignal): Promise<void> {
    const { open, undecided } = await this.database.erasures.unfinished(person);
    const patience = { seconds: decisionsWithinSeconds, signal };
    for (const id of [...open, ...undecided]) {
      const read = () => this.database.requests.view(id, null);
      const view = await this.awaitRequest.run(id, read, isDecided, patience);
      if (view !== null && view.decision === null) {
        throw new ProblemError(
          'decision_pending',
          'A request of this person is not decided yet. Nothing was erased; try again in a moment.',
          { headers: { 'retry-after': '5' } },
        );
      }
    }
  }
}

function selectorOf({ loginHint, subject }: ErasureBody): PersonSelector {
  if (subject !== undefined) return { name: subject, subject };
  return { name: namedPerson('login_hint', loginHint!, loginHint!), subject: null };
}
