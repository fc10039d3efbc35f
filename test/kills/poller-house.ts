import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Database, generateMasterKey, type RuleRow } from '#lib/persistence';
import { Client } from 'pg';
import { v7 as newId } from 'uuid';
import { aRule, pending } from '../support/postgres-builders.js';
import { freshDatabase } from '../support/postgres.js';
import { startScriptedProvider, type ScriptedProvider, type ScriptedRequest } from '../support/scripted-provider.js';
import { PostgresBarrier } from './postgres-barrier.js';
import type { Point, ProviderAnswer } from './poller-cells.js';

const endWithinMs = 90_000;
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

/** One poller after the other on one database: each is killed at a point, and the next one takes over. */
export class PollerHouse {
  #poller: ChildProcess | null = null;
  #output = '';
  #owner = '';
  #deadOwner = '';

  private constructor(
    private readonly fresh: { readonly url: string; drop(): Promise<void> },
    private readonly masterKeys: string,
    private readonly database: Database,
    private readonly barrier: PostgresBarrier,
    private readonly provider: ScriptedProvider,
    private readonly rule: RuleRow,
    private readonly look: Client,
  ) {}

  static async open(): Promise<PollerHouse> {
    const fresh = await freshDatabase();
    const masterKeys = generateMasterKey();
    const database = await Database.open({ url: fresh.url, masterKeys, source: '/assent/test', poolSize: 2 });
    const provider = await startScriptedProvider({ intervalSeconds: 1 });
    const created = await database.tokenProviders.create({
      name: 'P',
      issuer: provider.issuer,
      profile: 'generic',
      metadata: null,
      trustedCertificates: [],
    });
    if (created.kind !== 'created') throw new Error(created.kind);
    const rule = await aRule(database, { tokenProviderId: created.row.id, scopes: [] });
    const barrier = await PostgresBarrier.open(fresh.url);
    const look = new Client({ connectionString: fresh.url });
    await look.connect();
    const house = new PollerHouse(fresh, masterKeys, database, barrier, provider, rule, look);
    house.#startPoller();
    return house;
  }

  async close(): Promise<void> {
    await this.#kill();
    await this.provider.stop();
    await this.barrier.close();
    await this.look.end();
    await this.database.close();
    await this.fresh.drop();
  }

  /** Kills the poller at the point while it learns the answer; answers how the request ended under the next one. */
  async cell(point: Point, answer: ProviderAnswer): Promise<Ended> {
    const { authReqId } = await this.#ask(answer);
    const requestId = newId();
    // Before the request is there to be found: the first poll comes an interval after that.
    const reached = Promise.race([this.#hang(point, answer, authReqId), this.#stop(point, requestId)]);
    await this.#pending(requestId, authReqId);
    await within(endWithinMs, reached, () => `"${point}" was not reached:\n${this.#output.slice(-2000)}`);
    await this.#kill();
    this.provider.off('token');
    if (answer === 'pending') this.provider.approve(authReqId);
    this.#startPoller();
    return this.#ended(requestId);
  }

  /** Breaks the connection at the commit of what the answer means; the poller lives. */
  async brokenCommit(side: 'before' | 'after', answer: ProviderAnswer): Promise<Ended> {
    const { authReqId } = await this.#ask(answer);
    const requestId = newId();
    const broken = this.barrier.stopNext({
      statement: 'assent_apply_transitions',
      about: requestId,
      side,
      then: 'break',
    });
    await this.#pending(requestId, authReqId);
    await within(endWithinMs, broken, () => `The commit was not reached:\n${this.#output.slice(-2000)}`);
    return this.#ended(requestId);
  }

  async #pending(id: string, authReqId: string): Promise<void> {
    await this.#ownedByTheLiving();
    await pending(this.database, this.rule, { authReqId, intervalSeconds: 1, request: { id } });
  }

  /** A request that began before a take-over would be one whose answer may have been lost. */
  async #ownedByTheLiving(): Promise<void> {
    const deadline = performance.now() + endWithinMs;
    for (;;) {
      const { rows } = await this.look.query<{ owner: string; owned: number }>(
        `select owner, count(*)::integer as owned from poller_shards where lease_until > clock_timestamp() group by owner`,
      );
      const [only] = rows;
      if (rows.length === 1 && only!.owned === 256 && only!.owner !== this.#deadOwner) {
        this.#owner = only!.owner;
        return;
      }
      if (performance.now() > deadline) throw new Error(`Nobody owns the shards:\n${this.#output.slice(-2000)}`);
      await pause(100);
    }
  }

  /** A request that the provider knows, and what it will say of it. */
  async #ask(answer: ProviderAnswer): Promise<ScriptedRequest> {
    const body = new URLSearchParams({ client_id: 'client', login_hint: 'alice@example.com', scope: 'openid' });
    await (await fetch(`${this.provider.issuer}/backchannel`, { method: 'POST', body })).text();
    const request = this.provider.requests.at(-1)!;
    if (answer === 'approve') this.provider.approve(request.authReqId);
    if (answer === 'deny') this.provider.deny(request.authReqId);
    if (answer === 'expired') this.provider.expire(request.authReqId);
    if (answer === 'invalid-grant') request.state = 'redeemed';
    return request;
  }

  /** Holds the provider's answer back where it is the point; resolves when the call is there. */
  #hang(point: Point, answer: ProviderAnswer, authReqId: string): Promise<void> {
    if (point !== 'asked' && point !== 'answered') return new Promise(() => undefined);
    return new Promise((resolve) => {
      this.provider.on('token', ({ form }) => {
        if (form.get('auth_req_id') !== authReqId) return null;
        const request = this.provider.requests.find((known) => known.authReqId === authReqId)!;
        if (point === 'answered' && ['approve', 'deny', 'lost'].includes(answer)) request.state = 'redeemed';
        resolve();
        return answer === 'lost' ? { reset: true } : { hang: true };
      });
    });
  }

  #stop(point: Point, about: string): Promise<void> {
    switch (point) {
      case 'before reading':
        return this.barrier.stopNext({ statement: 'assent_select_snapshots', about, side: 'before', then: 'wait' });
      case 'after reading':
        return this.barrier.stopNext({ statement: 'assent_select_snapshots', about, side: 'after', then: 'wait' });
      case 'before the commit':
        return this.barrier.stopNext({ statement: 'assent_apply_transitions', about, side: 'before', then: 'wait' });
      case 'after the commit':
        return this.barrier.stopNext({ statement: 'assent_apply_transitions', about, side: 'after', then: 'wait' });
      case 'asked':
      case 'answered':
        return new Promise(() => undefined);
    }
  }

  async #ended(requestId: string): Promise<Ended> {
    const deadline = performance.now() + endWithinMs;
    for (;;) {
      const { status, reason } = (await this.database.requests.view(requestId, null))!;
      if (status !== 'pending') return { end: reason ?? status, events: await this.#eventsOf(requestId, status) };
      if (performance.now() > deadline) throw new Error(`${requestId} does not end:\n${this.#output.slice(-2000)}`);
      await pause(100);
    }
  }

  async #eventsOf(requestId: string, status: string): Promise<number> {
    const { rows } = await this.look.query<{ events: number }>(
      `select count(*)::integer as events from outbox where event->>'subject' = $1 and event->'data'->>'status' = $2`,
      [requestId, status],
    );
    return rows[0]!.events;
  }

  #startPoller(): void {
    const entry = join(process.cwd(), 'dist/apps/poller/main.js');
    if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build first.`);
    const child = spawn(process.execPath, [entry], {
      env: {
        PATH: process.env['PATH'],
        TMPDIR: tmpdir(),
        LOG_LEVEL: 'warn',
        PORT: '0',
        HOST: '127.0.0.1',
        DATABASE_URL: this.barrier.url,
        // Nobody is there: events wait in the outbox, and the sweep finds what they would have told of.
        AMQP_URL: 'amqp://127.0.0.1:9',
        ASSENT_MASTER_KEYS: this.masterKeys,
        ASSENT_ALLOW_LOOPBACK: 'true',
        ...lease,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-20_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#poller = child;
  }

  async #kill(): Promise<void> {
    const child = this.#poller;
    this.#poller = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    this.#deadOwner = this.#owner;
  }
}

async function within<Result>(limitMs: number, work: Promise<Result>, problem: () => string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(problem())), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
