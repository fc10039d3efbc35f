import type { InitiationUnknownPolicy } from '#lib/domain';
import type { RuleRow } from '#lib/persistence';
import { v7 as newId } from 'uuid';
import { aRule, submitted } from '../support/postgres-builders.js';
import type { RecordedCall, ScriptedReply } from '../support/scripted-provider.js';
import { Arrivals, eventually } from './arrivals.js';
import { answeredTogether, openHouse, type House } from './house.js';
import type { Side } from './postgres-barrier.js';
import type { StartAnswer, StartCell, WorkerPoint } from './worker-cells.js';

/** How far a request has come. */
export interface Started {
  readonly end: string;
  /** Start calls with which the person may have been asked. */
  readonly prompts: number;
  /** Events that tell of that end. */
  readonly events: number;
  /** Attempts that nobody closed. */
  readonly open: number;
}

/** A request of a person of its own, by whom the provider knows it. */
interface Asked {
  readonly cell: StartCell;
  readonly requestId: string;
  readonly person: string;
}

export const nameOf = ({ answer, policy }: Pick<StartCell, 'answer' | 'policy'>) => `${answer}, ${policy}`;

/** One worker after the other on one database: each is killed at a point, and the next one goes on. */
export class WorkerHouse {
  readonly #prompts = new Map<string, number>();

  private constructor(
    private readonly house: House,
    private readonly rules: Readonly<Record<InitiationUnknownPolicy, RuleRow>>,
  ) {}

  static async open(): Promise<WorkerHouse> {
    const house = await openHouse({ service: 'ciba-worker' });
    const rule = (onInitiationUnknown: InitiationUnknownPolicy) =>
      aRule(house.database, { tokenProviderId: house.tokenProviderId, scopes: [], onInitiationUnknown });
    const rules = { fail: await rule('fail'), 'ask-again': await rule('ask-again') };
    house.service.launch();
    return new WorkerHouse(house, rules);
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /** Kills the worker once, at the point, with all these cells there; what was not there in time comes again. */
  async kill(point: WorkerPoint, cells: readonly StartCell[]): Promise<Map<string, Started>> {
    const ended = new Map<string, Started>();
    for (let left = cells; left.length > 0; left = left.filter((cell) => !ended.has(nameOf(cell)))) {
      for (const [name, end] of await this.#killOnce(point, left)) ended.set(name, end);
    }
    return ended;
  }

  /** Breaks the connection where the attempts are opened, or what came of them is committed; the worker lives. */
  async breakCommits(
    what: 'opening' | 'commit',
    side: Side,
    cells: readonly StartCell[],
  ): Promise<Map<string, Started>> {
    const { house } = this;
    const all = cells.map(personOfItsOwn);
    const about = all.map(({ requestId }) => requestId);
    const arrivals = new Arrivals(about);
    const statement = what === 'opening' ? 'assent_open_attempts' : 'assent_apply_transitions';
    house.barrier.stop({ statement, about, side, then: 'break', arrivals });
    house.provider.on('backchannel', (call) => this.#answer(call, all));
    await this.#submit(all);
    await arrivals.complete(() => `The commits were not reached:\n${house.output()}`);
    const ends = new Map<string, Started>();
    for (const asked of all) ends.set(nameOf(asked.cell), await this.#started(asked));
    return ends;
  }

  async #killOnce(point: WorkerPoint, cells: readonly StartCell[]): Promise<Map<string, Started>> {
    const { house } = this;
    const all = cells.map(personOfItsOwn);
    const arrivals = new Arrivals(all.map(({ requestId }) => requestId));
    this.#lieInWait(point, all, arrivals);
    await this.#submit(all);
    await arrivals.gathered(() => `"${point}" was not reached:\n${house.output()}`);
    await house.kill();
    house.provider.on('backchannel', (call) => this.#answer(call, all));
    await this.#letAttemptsLapse(all);
    house.service.launch();
    const ends = new Map<string, Started>();
    for (const asked of all) {
      const started = await this.#started(asked);
      if (arrivals.has(asked.requestId)) ends.set(nameOf(asked.cell), started);
    }
    return ends;
  }

  #lieInWait(point: WorkerPoint, all: readonly Asked[], arrivals: Arrivals): void {
    const { house } = this;
    const about = all.map(({ requestId }) => requestId);
    const stop = (statement: string, side: Side) =>
      house.barrier.stop({ statement, about, side, then: 'wait', arrivals });
    switch (point) {
      case 'before opening':
      case 'after opening':
        house.provider.on('backchannel', (call) => this.#answer(call, all));
        return stop('assent_open_attempts', point === 'before opening' ? 'before' : 'after');
      case 'asked':
        return house.provider.on('backchannel', (call) => {
          const asked = askedBy(call, all);
          if (asked === undefined) return null;
          this.#ring(asked.person);
          arrivals.add(asked.requestId);
          return { hang: true };
        });
      case 'before the commit':
      case 'after the commit': {
        const side = point === 'before the commit' ? 'before' : 'after';
        this.#answerTogether(all, async () => {
          const attempts = await this.#attemptsOf(about);
          const closed = { add: (attemptId: string) => arrivals.add(attempts.get(attemptId)!) };
          const attemptIds = [...attempts.keys()];
          house.barrier.stop({
            statement: 'assent_close_attempt',
            about: attemptIds,
            side,
            then: 'wait',
            arrivals: closed,
          });
        });
        return stop('assent_apply_transitions', side);
      }
    }
  }

  #answerTogether(all: readonly Asked[], prepare?: () => Promise<void>): void {
    const isOne = (call: RecordedCall) => askedBy(call, all) !== undefined;
    const together = answeredTogether(this.house, all.length, isOne, prepare);
    this.house.provider.on('backchannel', async (call) => {
      await together(call);
      return this.#answer(call, all);
    });
  }

  #answer(call: RecordedCall, all: readonly Asked[]): ScriptedReply | null {
    const asked = askedBy(call, all);
    if (asked === undefined) return null;
    const { person, cell } = asked;
    const isFirst = this.house.provider.calls('backchannel').filter((one) => personOf(one) === person).length === 1;
    const reply = replyTo(call, cell.answer, isFirst);
    if (reply === null || 'reset' in reply) this.#ring(person);
    return reply;
  }

  #ring(person: string): void {
    this.#prompts.set(person, (this.#prompts.get(person) ?? 0) + 1);
  }

  /** So long ago that the sweep takes them for forgotten. */
  async #submit(all: readonly Asked[]): Promise<void> {
    const { database, look } = this.house;
    const created = all.map(({ cell, requestId: id, person }) =>
      submitted(database, this.rules[cell.policy], { id, loginHint: person, person, bindingMessage: 'Pay 5 € now' }),
    );
    await Promise.all(created);
    await look.query(
      `update authorization_requests set created_at = created_at - interval '20 seconds' where id = any($1::uuid[])`,
      [all.map(({ requestId }) => requestId)],
    );
  }

  async #attemptsOf(requestIds: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.house.look.query<{ id: string; request_id: string }>(
      `select id, request_id from start_attempts where closed_at is null and request_id = any($1::uuid[])`,
      [requestIds],
    );
    return new Map(rows.map(({ id, request_id }) => [id, request_id]));
  }

  /** What a worker that lives can take for a call is over at once. */
  async #letAttemptsLapse(all: readonly Asked[]): Promise<void> {
    await this.house.look.query(
      `update start_attempts set lapses_at = lapses_at - interval '2 minutes' where request_id = any($1::uuid[])`,
      [all.map(({ requestId }) => requestId)],
    );
  }

  async #started({ requestId, person }: Asked): Promise<Started> {
    const { database, look } = this.house;
    const { status, reason } = await eventually(
      async () => {
        const view = (await database.requests.view(requestId, null))!;
        return view.status === 'requested' ? undefined : view;
      },
      () => `${requestId} is not started:\n${this.house.output()}`,
    );
    const { rows } = await look.query<{ events: number; open: number }>(
      `select
        (select count(*)::integer from outbox where event->>'subject' = $1 and event->'data'->>'status' = $2) as events,
        (select count(*)::integer from start_attempts where request_id = $1::uuid and closed_at is null) as open`,
      [requestId, status],
    );
    const end = status === 'failed' ? reason! : status;
    return { end, prompts: this.#prompts.get(person) ?? 0, ...rows[0]! };
  }
}

function personOfItsOwn(cell: StartCell): Asked {
  const requestId = newId();
  return { cell, requestId, person: `${requestId}@example.com` };
}

const personOf = ({ form }: RecordedCall) => form.get('login_hint');
const askedBy = (call: RecordedCall, all: readonly Asked[]) => all.find(({ person }) => person === personOf(call));

/** Null: the person is asked, and the provider says so. */
function replyTo({ form }: RecordedCall, answer: StartAnswer, isFirst: boolean): ScriptedReply | null {
  switch (answer) {
    case 'acknowledge':
      return null;
    case 'refuse':
      return { status: 400, json: { error: 'invalid_request' } };
    case 'deny':
      return { status: 403, json: { error: 'access_denied' } };
    case 'other-text':
      if (!form.get('binding_message')?.includes(' ')) return null;
      return { status: 400, json: { error: 'invalid_binding_message' } };
    case 'not-now':
      return isFirst ? { status: 503, headers: { 'retry-after': '1' }, json: {} } : null;
    case 'lost':
      return isFirst ? { reset: true } : null;
  }
}
