import { percentile } from '../harness/statistics.js';
import { serve } from '../harness/serve.js';
import { RawConnection } from './raw-http-client.js';

/** A load of one kind of call; `{id}` in path, headers and body stands for what makes each call its own. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The ids to use, each once; the load ends with the last of them. */
  readonly ids?: readonly string[];
  /** Without `ids`: for how long, and what the ids that are made begin with. */
  readonly seconds?: number;
  readonly prefix?: string;
}

/** What came of a load. */
export interface LoadResult {
  readonly seconds: number;
  readonly statuses: Readonly<Record<number, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const connections = new Map<number, RawConnection[]>();

/** The connections to a server are kept from one load to the next, unless the server has closed them meanwhile. */
async function connectionsTo(port: number, count: number): Promise<RawConnection[]> {
  const open = (connections.get(port) ?? []).filter(({ isOpen }) => isOpen);
  while (open.length < count) open.push(await RawConnection.open(port));
  connections.set(port, open);
  return open.slice(0, count);
}

async function load(what: Load): Promise<LoadResult> {
  const open = await connectionsTo(what.port, what.connections);
  const bytesOf = requestBytes(what);
  const latencies: number[] = [];
  const statuses: Record<number, number> = {};
  const startedAt = performance.now();
  const endAt = what.ids === undefined ? startedAt + (what.seconds ?? 1) * 1000 : Infinity;
  let made = 0;
  const nextId = (): string | null => {
    if (what.ids !== undefined) return what.ids[made++] ?? null;
    return performance.now() < endAt ? `${what.prefix ?? ''}${made++}` : null;
  };
  await Promise.all(
    open.map(async (connection) => {
      for (let id = nextId(); id !== null; id = nextId()) {
        const sentAt = performance.now();
        const { status } = await connection.send(bytesOf(id));
        latencies.push(performance.now() - sentAt);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds, statuses, p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) };
}

function requestBytes({ port, method, path, headers, body }: Load): (id: string) => string {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}`);
  const head = [`${method} ${path} HTTP/1.1`, ...lines].join('\r\n');
  const type = body === '' ? '' : 'content-type: application/json\r\n';
  return (id) => {
    const text = body.replaceAll('{id}', id);
    return `${head.replaceAll('{id}', id)}\r\n${type}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  };
}

/** Calls that begin at a steady rate, whatever the answers do; the answers name what was made. */
export interface SteadyLoad extends Omit<Load, 'ids' | 'seconds'> {
  readonly perSecond: number;
  readonly count: number;
}

/** What came of a steady load: which id of ours each thing that was made belongs to. */
export interface SteadyResult {
  readonly seconds: number;
  readonly made: ReadonlyMap<string, string>;
  readonly p99Ms: number;
}

async function steady(what: SteadyLoad): Promise<SteadyResult> {
  const free = [...(await connectionsTo(what.port, what.connections))];
  const bytesOf = requestBytes(what);
  const waiting: (() => void)[] = [];
  const made = new Map<string, string>();
  const latencies: number[] = [];
  const startedAt = performance.now();
  const one = async (at: number): Promise<void> => {
    const dueAt = startedAt + (at * 1000) / what.perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
    if (free.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    // In turn, so that none idles until the server closes it; one that a pause has cost is replaced.
    const next = free.shift()!;
    const connection = next.isOpen ? next : await RawConnection.open(what.port);
    const id = `${what.prefix ?? ''}${at}`;
    const { status, body } = await connection.send(bytesOf(id));
    free.push(connection);
    waiting.shift()?.();
    latencies.push(performance.now() - dueAt);
    if (status !== 202) throw new Error(`a call was answered ${status}: ${body}`);
    made.set((JSON.parse(body) as { id: string }).id, id);
  };
  await Promise.all(Array.from({ length: what.count }, (_, at) => one(at)));
  return { seconds: (performance.now() - startedAt) / 1000, made, p99Ms: percentile(latencies, 99) };
}

serve({ start: () => null, load, steady });
