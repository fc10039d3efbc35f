import type { GatedProcess } from './gated-process.js';

/** One party to a run: a command that goes on, statement by statement, when its turn comes. */
export interface Party {
  readonly process: GatedProcess;
  readonly command: () => Promise<unknown>;
}

/** A session that holds a lock from before the run until its one step: to let go. */
export interface Holder {
  release(): Promise<void>;
}

/** Sees which sessions wait for a lock. */
export interface LockMonitor {
  /** Of these server processes, those that wait for a lock now. */
  blocked(pids: readonly number[]): Promise<ReadonlySet<number>>;
}

/** Chooses who goes on; gets the names of those who can. */
export type Choose = (enabled: readonly string[]) => number;

export interface Run {
  /** Who went on with what, in order. */
  readonly trace: readonly string[];
  /** How each command ended, in the order of the parties. */
  readonly ends: readonly PromiseSettledResult<unknown>[];
  /** Statements that each party has sent. */
  readonly steps: readonly number[];
  /** Whether anybody has waited for a lock. */
  readonly waited: boolean;
}

// When to ask the server first whether a statement waits; what it waits for is the server's word all the same.
const askAfterMs = { locking: 1, other: 20 };
const locking =
  /apply_transitions|record_decisions|hold_answer|note_notification|open_attempts|late_evidence|renew_shards/;
const patienceMs = 20_000;

/**
 * Runs commands side by side, one statement at a time, in the order that `choose` says.
 *
 * A party that waits for a lock is out of the choice until it has it; whether it waits is the server's word
 * (`pg_blocking_pids`), not a matter of time.
 */
export class Stepper {
  readonly #sides: Side[];
  readonly #trace: string[] = [];
  #wake: () => void = () => undefined;
  #waited = false;

  constructor(
    parties: readonly Party[],
    private readonly monitor: LockMonitor,
    private holder: Holder | null,
  ) {
    this.#sides = parties.map((party, index) => new Side(String.fromCharCode(65 + index), party, () => this.#wake()));
  }

  async run(choose: Choose): Promise<Run> {
    for (const side of this.#sides) side.start();
    try {
      await this.#settle();
      for (let actors = this.#enabled(); actors.length > 0; actors = this.#enabled()) {
        const actor = actors[choose(actors.map(({ label }) => label))]!;
        this.#trace.push(actor.label);
        await actor.step();
        await this.#settle();
      }
    } finally {
      // Also when a run is given up half way: nobody is left behind at a gate.
      for (const side of this.#sides) side.letGo();
      await this.holder?.release();
      await Promise.allSettled(this.#sides.map(({ end }) => end));
    }
    return {
      trace: this.#trace,
      ends: await Promise.allSettled(this.#sides.map(({ end }) => end)),
      steps: this.#sides.map(({ steps }) => steps),
      waited: this.#waited,
    };
  }

  #enabled(): { label: string; step: () => void | Promise<void> }[] {
    const atGate = this.#sides.filter(({ waiting }) => waiting !== null);
    const actors: { label: string; step: () => void | Promise<void> }[] = atGate.map((side) => ({
      label: `${side.name} ${side.waiting!.statement.replace(/^assent_/, '').slice(0, 40)}`,
      step: () => side.step(),
    }));
    const { holder } = this;
    // With nobody waiting for it, to let go is no step: it would be the same run without a holder.
    if (holder !== null && this.#sides.some(({ isUnderWay }) => isUnderWay)) {
      actors.push({
        label: 'lock released',
        step: async () => {
          this.holder = null;
          await holder.release();
        },
      });
    }
    return actors;
  }

  /** Resolves when each party has come to its next statement, has ended, or waits for a lock that somebody keeps. */
  async #settle(): Promise<void> {
    const deadline = performance.now() + patienceMs;
    let askMs = this.holder !== null && locking.test(this.#trace.at(-1) ?? '') ? askAfterMs.locking : askAfterMs.other;
    for (let event = this.#event(); ; event = this.#event()) {
      const underWay = this.#sides.filter(({ isUnderWay }) => isUnderWay);
      if (underWay.length === 0) return;
      if (await within(event, askMs)) continue;
      askMs = Math.min(askMs * 2, 50);
      const blocked = await this.monitor.blocked(underWay.map(({ pid }) => pid));
      if (await within(event, 0)) continue;
      if (underWay.every(({ pid }) => blocked.has(pid))) {
        this.#waited = true;
        // Two that wait for each other: the server ends that by itself.
        if (this.holder !== null || this.#sides.some(({ waiting }) => waiting !== null)) return;
      }
      if (performance.now() > deadline) throw new Error(`No progress after: ${this.#trace.join(' · ')}`);
    }
  }

  #event(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

class Side {
  #ended = false;
  steps = 0;
  end: Promise<unknown> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly party: Party,
    private readonly moved: () => void,
  ) {}

  get pid(): number {
    return this.party.process.pid;
  }

  get waiting() {
    return this.party.process.waiting;
  }

  /** Neither at the gate nor at its end: in its own code, or in a statement. */
  get isUnderWay(): boolean {
    return !this.#ended && this.waiting === null;
  }

  start(): void {
    const { process, command } = this.party;
    process.onWaiting = this.moved;
    process.close();
    this.end = Promise.resolve()
      .then(command)
      .finally(() => {
        process.open();
        this.#ended = true;
        this.moved();
      });
    this.end.catch(() => undefined);
  }

  step(): void {
    this.steps++;
    this.waiting!.go();
  }

  /** Goes on to its end without asking. */
  letGo(): void {
    this.party.process.open();
    this.waiting?.go();
  }
}

/** Whether the event comes in time. */
async function within(event: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), limitMs)));
  const came = await Promise.race([event.then(() => true as const), late]);
  clearTimeout(timer);
  return came;
}
