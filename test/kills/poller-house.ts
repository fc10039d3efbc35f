import type { RuleRow } from '#lib/persistence';
import { v7 as newId } from 'uuid';
import { aRule, pending } from '../support/postgres-builders.js';
import type { RecordedCall, ScriptedReply } from '../support/scripted-provider.js';
import { Arrivals, eventually } from './arrivals.js';
import { answeredTogether, openHouse, type House } from './house.js';
import type { Point, ProviderAnswer } from './poller-cells.js';

const lease = {
  POLLER_LEASE_SECONDS: '1.5',
  POLLER_RENEW_SECONDS: '0.3',
  POLLER_LEASE_MARGIN_SECONDS: '0.4',
  POLLER_SWEEP_SECONDS: '0.3',
};

/** How a request ended: its status, or the reason of its failure, and how many events tell of that end. */
export interface Ended {
  readonly end: string;
  readonly events: number;
}

/** A request, as the provider and the poller know it. */
interface Asked {
  readonly answer: ProviderAnswer;
  readonly authReqId: string;
  readonly requestId: string;
}

/** One poller after the other on one database: each is killed at a point, and the next one takes over. */
export class PollerHouse {
  #owner = '';
  #deadOwner = '';

  private constructor(
    private readonly house: House,
    private readonly rule: RuleRow,
  ) {}

  static async open(): Promise<PollerHouse> {
    const house = await openHouse({ service: 'poller', env: lease });
    const rule = await aRule(house.database, { tokenProviderId: house.tokenProviderId, scopes: [] });
    house.service.launch();
    return new PollerHouse(house, rule);
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /**
   * Kills the poller once, at the point, while it learns all these answers there, each to a request of its own; tells how
   * each request ended under the next one. What was not there in time is not judged, and comes again.
   */
  async kill(point: Point, answers: readonly ProviderAnswer[]): Promise<Map<ProviderAnswer, Ended>> {
    const ended = new Map<ProviderAnswer, Ended>();
    for (let left = answers; left.length > 0; left = left.filter((answer) => !ended.has(answer))) {
      for (const [answer, end] of await this.#killOnce(point, left)) ended.set(answer, end);
    }
    return ended;
  }

  /** Breaks the connection at the commits of what the answers mean; the poller lives. */
  async breakCommits(
    side: 'before' | 'after',
    answers: readonly ProviderAnswer[],
  ): Promise<Map<ProviderAnswer, Ended>> {
    const all = await this.#ask(answers);
    const about = all.map(({ requestId }) => requestId);
    const arrivals = new Arrivals(about);
    this.house.barrier.stop({ statement: 'assent_apply_transitions', about, side, then: 'break', arrivals });
    await this.#pending(all);
    await arrivals.gathered(() => `The commits were not reached:\n${this.house.output()}`);
    const ends = await this.#ends(all);
    const missed = all.filter(({ requestId }) => !arrivals.has(requestId));
    if (missed.length > 0) throw new Error(`Not broken: ${missed.map(({ answer }) => answer).join(', ')}`);
    return ends;
  }

  async #killOnce(point: Point, answers: readonly ProviderAnswer[]): Promise<Map<ProviderAnswer, Ended>> {
    const { house } = this;
    const all = await this.#ask(answers);
    const arrivals = new Arrivals(all.map(({ requestId }) => requestId));
    this.#lieInWait(point, all, arrivals);
    await this.#pending(all);
    await arrivals.gathered(() => `"${point}" was not reached:\n${house.output()}`);
    await house.kill();
    this.#deadOwner = this.#owner;
    house.provider.off('token');
    for (const { answer, authReqId } of all) if (answer === 'pending') house.provider.approve(authReqId);
    house.service.launch();
    const ends = await this.#ends(all);
    return new Map(
      all.flatMap(({ answer, requestId }) => (arrivals.has(requestId) ? [[answer, ends.get(answer)!]] : [])),
    );
  }

  /** Requests that the provider knows, and what it will say of each. */
  async #ask(answers: readonly ProviderAnswer[]): Promise<Asked[]> {
    const { provider } = this.house;
    const asked: Asked[] = [];
    for (const answer of answers) {
      const body = new URLSearchParams({ client_id: 'client', login_hint: 'alice@example.com', scope: 'openid' });
      await (await fetch(`${provider.issuer}/backchannel`, { method: 'POST', body })).text();
      const request = provider.requests.at(-1)!;
      if (answer === 'approve') provider.approve(request.authReqId);
      if (answer === 'deny') provider.deny(request.authReqId);
      if (answer === 'expired') provider.expire(request.authReqId);
      if (answer === 'invalid-grant') request.state = 'redeemed';
      asked.push({ answer, authReqId: request.authReqId, requestId: newId() });
    }
    return asked;
  }

  /** Before the requests are there to be found: the first poll comes an interval after that. */
  #lieInWait(point: Point, all: readonly Asked[], arrivals: Arrivals): void {
    const { provider } = this.house;
    const about = all.map(({ requestId }) => requestId);
    const isOne = ({ form }: RecordedCall) => all.some(({ authReqId }) => authReqId === form.get('auth_req_id'));
    const stop = (statement: string, side: 'before' | 'after') => {
      provider.on('token', answeredTogether(this.house, all.length, isOne));
      this.house.barrier.stop({ statement, about, side, then: 'wait', arrivals });
    };
    switch (point) {
      case 'asked':
      case 'answered':
        return provider.on('token', ({ form }) => {
          const asked = all.find(({ authReqId }) => authReqId === form.get('auth_req_id'));
          return asked === undefined ? null : this.#hang(point, asked, arrivals);
        });
      case 'before the commit':
        return stop('assent_apply_transitions', 'before');
      case 'after the commit':
        return stop('assent_apply_transitions', 'after');
    }
  }

  /** The provider does what its answer says, and the answer stays away. */
  #hang(point: Point, { answer, authReqId, requestId }: Asked, arrivals: Arrivals): ScriptedReply {
    const request = this.house.provider.requests.find((known) => known.authReqId === authReqId)!;
    if (point === 'answered' && ['approve', 'deny', 'lost'].includes(answer)) request.state = 'redeemed';
    arrivals.add(requestId);
    return answer === 'lost' ? { reset: true } : { hang: true };
  }

  async #pending(all: readonly Asked[]): Promise<void> {
    await this.#ownedByTheLiving();
    const { database } = this.house;
    await Promise.all(
      all.map(({ requestId: id, authReqId }) =>
        pending(database, this.rule, { authReqId, intervalSeconds: 1, request: { id } }),
      ),
    );
  }

  /** A request that began before a take-over would be one whose answer may have been lost. */
  async #ownedByTheLiving(): Promise<void> {
    this.#owner = await eventually(
      async () => {
        const { rows } = await this.house.look.query<{ owner: string; owned: number }>(
          `select owner, count(*)::integer as owned from poller_shards where lease_until > clock_timestamp() group by owner`,
        );
        const [only] = rows;
        return rows.length === 1 && only!.owned === 256 && only!.owner !== this.#deadOwner ? only!.owner : undefined;
      },
      () => `Nobody owns the shards:\n${this.house.output()}`,
    );
  }

  async #ends(all: readonly Asked[]): Promise<Map<ProviderAnswer, Ended>> {
    const ends = new Map<ProviderAnswer, Ended>();
    for (const { answer, requestId } of all) ends.set(answer, await this.#ended(requestId));
    return ends;
  }

  async #ended(requestId: string): Promise<Ended> {
    const { status, reason } = await eventually(
      async () => {
        const view = (await this.house.database.requests.view(requestId, null))!;
        return view.status === 'pending' ? undefined : view;
      },
      () => `${requestId} does not end:\n${this.house.output()}`,
    );
    const { rows } = await this.house.look.query<{ events: number }>(
      `select count(*)::integer as events from outbox where event->>'subject' = $1 and event->'data'->>'status' = $2`,
      [requestId, status],
    );
    return { end: reason ?? status, events: rows[0]!.events };
  }
}
