import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import type { FaultKind, Service } from './fault-plan.js';
import type { Ledger } from './ledger.js';

/** The work that a fault had stopped: any of a stage, or exactly these items of it. */
export interface HeldWork {
  readonly stage: string;
  readonly items?: ReadonlySet<string>;
  /** Answers the time at which one of `items` is seen to have moved, or null; asked again and again. */
  readonly moved?: () => Promise<boolean>;
}

interface Watched {
  readonly faultId: string;
  readonly kind: FaultKind;
  readonly target: string;
  readonly healedAtMs: number;
  readonly held: HeldWork;
}

/** After so long a fault counts as not recovered from; its line says so. */
const longestMs = 90_000;

/** Measures, for each fault, when the work that it had stopped flowed again. */
export class Recovery {
  /** `progress` names a stage, the moment, and the item that moved. */
  readonly progress = new EventEmitter<{ progress: [stage: string, item: string, atMs: number] }>();
  readonly times: { kind: FaultKind; target: string; ms: number | null }[] = [];
  readonly #owners = new Map<string, string>();
  readonly #watching = new Set<Promise<void>>();

  constructor(
    private readonly cluster: Cluster,
    private readonly ledger: Ledger,
    /** What callers have asked of the n-th rules service without an answer yet. */
    private readonly callsUnderWay: (server: number) => ReadonlySet<string>,
  ) {
    this.progress.setMaxListeners(0);
  }

  note(stage: string, item: string, atMs: number): void {
    this.progress.emit('progress', stage, item, atMs);
  }

  /** Finds out under which name a poller that has just started owns its shards. */
  async learn(name: string, service: Service): Promise<void> {
    if (service !== 'poller') return;
    const known = new Set(this.#owners.values());
    for (let tries = 0; tries < 40; tries++) {
      const rows = await this.cluster
        .query<{ id: string }>('select id from poller_instances order by seen_until desc')
        .catch(() => []);
      const mine = rows.find(({ id }) => !known.has(id));
      if (mine) return void this.#owners.set(name, mine.id);
      await pause(250);
    }
  }

  /** What only this process could go on with at this moment, for as long as it counts as alive. */
  async heldByProcess(name: string, service: Service): Promise<HeldWork | undefined> {
    try {
      switch (service) {
        case 'poller':
          return await this.#pendingOf(this.#owners.get(name) ?? '');
        case 'ciba-worker':
          return await this.#left(
            'asked',
            `select id from authorization_requests r where status = 'requested'
             and not exists (select from start_attempts a where a.request_id = r.id and a.closed_at is null)`,
            `select exists (select from authorization_requests where id = any($1::uuid[]) and status <> 'requested') as moved`,
          );
        case 'decision-service':
          return await this.#left(
            'delivered',
            'select id from authorization_requests where ended_at is not null and decision_id is null',
            'select exists (select from authorization_requests where id = any($1::uuid[]) and decision_id is not null) as moved',
          );
        case 'rules-service': {
          const items = this.callsUnderWay(Number(name.at(-1)) - 1);
          return items.size === 0 ? { stage: 'answered' } : { stage: 'answered', items };
        }
      }
    } catch {
      // The database is away just now: then any progress of the stage will do.
      return undefined;
    }
  }

  watch(watched: Watched): void {
    const done = this.#measure(watched).finally(() => this.#watching.delete(done));
    this.#watching.add(done);
  }

  /** Resolves when every fault is recovered from, or has had its time. */
  async settled(): Promise<void> {
    while (this.#watching.size > 0) await Promise.all(this.#watching);
  }

  async #pendingOf(owner: string): Promise<HeldWork> {
    const rows = await this.cluster.query<{ id: string }>(
      `select encode(r.auth_req_id_sha256, 'hex') as id from authorization_requests r join poller_shards s using (shard)
       where r.status = 'pending' and s.owner = $1`,
      [owner],
    );
    return rows.length === 0 ? { stage: 'polled' } : { stage: 'polled', items: new Set(rows.map(({ id }) => id)) };
  }

  async #left(stage: string, select: string, moved: string): Promise<HeldWork> {
    const ids = (await this.cluster.query<{ id: string }>(select)).map(({ id }) => id);
    if (ids.length === 0) return { stage };
    return { stage, moved: async () => (await this.cluster.query<{ moved: boolean }>(moved, [ids]))[0]!.moved };
  }

  async #measure({ faultId, kind, target, healedAtMs, held }: Watched): Promise<void> {
    const flowedAgainAtMs = held.moved ? await this.#asked(held.moved) : await this.#told(held, healedAtMs);
    this.ledger.write({ faultId, kind, target, healedAtMs, flowedAgainAtMs });
    this.times.push({ kind, target, ms: flowedAgainAtMs === null ? null : Math.max(0, flowedAgainAtMs - healedAtMs) });
  }

  async #asked(moved: () => Promise<boolean>): Promise<number | null> {
    for (const deadline = Date.now() + longestMs; Date.now() < deadline; await pause(250)) {
      if (await moved().catch(() => false)) return Date.now();
    }
    return null;
  }

  #told({ stage, items }: HeldWork, healedAtMs: number): Promise<number | null> {
    return new Promise((resolve) => {
      const end = (atMs: number | null): void => {
        clearTimeout(limit);
        this.progress.off('progress', listen);
        resolve(atMs);
      };
      const listen = (of: string, item: string, atMs: number): void => {
        if (of === stage && atMs >= healedAtMs && (items === undefined || items.has(item))) end(atMs);
      };
      const limit = setTimeout(() => end(null), longestMs);
      this.progress.on('progress', listen);
    });
  }
}
