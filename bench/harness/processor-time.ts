import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second in /proc; the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Processor time by role, in µs. */
export type TimeByRole = Readonly<Record<string, number>>;

interface Entry {
  readonly parent: number;
  readonly ticks: number;
  /** Of children that have ended and were waited for. */
  readonly childTicks: number;
}

/**
 * Reads how much processor time the processes of a role have used, their descendants included: PostgreSQL works in
 * children, RabbitMQ in one process of many threads. Linux only; a tick is 10 ms, so measure for seconds.
 */
export class ProcessorTime {
  constructor(private readonly roots: Readonly<Record<string, readonly number[]>>) {}

  read(): TimeByRole {
    const entries = readEntries();
    const children = new Map<number, number[]>();
    for (const [pid, { parent }] of entries) children.set(parent, [...(children.get(parent) ?? []), pid]);
    return Object.fromEntries(
      Object.entries(this.roots).map(([role, pids]) => [role, microsOf(ticksBelow(pids, entries, children))]),
    );
  }
}

/** The processor time of the whole machine that was not idle, in µs. */
export function busyMicros(): number {
  const [, ...numbers] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = numbers.map(Number);
  return microsOf(user + nice + system + irq + softirq);
}

/** What was used between two readings, by role. */
export const usedBetween = (before: TimeByRole, after: TimeByRole): TimeByRole =>
  Object.fromEntries(Object.entries(after).map(([role, micros]) => [role, micros - (before[role] ?? 0)]));

const microsOf = (ticks: number): number => (ticks * 1_000_000) / ticksPerSecond;

/** Each process counts once, also when it descends from several of the roots. */
function ticksBelow(
  roots: readonly number[],
  entries: ReadonlyMap<number, Entry>,
  children: ReadonlyMap<number, readonly number[]>,
): number {
  const seen = new Set<number>();
  const open = [...roots];
  let ticks = 0;
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    const entry = entries.get(pid);
    if (entry === undefined) throw new Error(`The process ${pid}, whose time is measured, is gone.`);
    ticks += entry.ticks + entry.childTicks;
    open.push(...(children.get(pid) ?? []));
  }
  return ticks;
}

function readEntries(): Map<number, Entry> {
  const entries = new Map<number, Entry>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readEntry(name);
    if (entry !== null) entries.set(Number(name), entry);
  }
  return entries;
}

/** Null for a process that has ended meanwhile. */
function readEntry(pid: string): Entry | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

/** Reads a line of `/proc/<pid>/stat` (proc(5)); the name in it may hold blanks and brackets. */
export function parseStat(line: string): Entry {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), ticks: field(14) + field(15), childTicks: field(16) + field(17) };
}
