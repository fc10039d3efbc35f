import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';

/** What the checker leaves in `verdict.json`, as far as the report tells of it. */
interface Verdict {
  readonly ok: boolean;
  readonly mode: string;
  readonly seed: number;
  readonly requests: number;
  readonly faults: number;
  readonly invariants: Readonly<Record<string, InvariantVerdict>>;
  readonly counters: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly outcomeUnknown: readonly { readonly cause: string | null }[];
  readonly recovery: Readonly<
    Record<string, Readonly<Record<'count' | 'p50' | 'p95' | 'max' | 'limit', number | null>>>
  >;
  readonly sometimes: Readonly<Record<string, number>>;
}

interface InvariantVerdict {
  readonly ok: boolean | null;
  readonly claim: string;
  readonly checked: number;
  readonly violated: number;
  readonly notes: readonly string[];
  readonly elsewhere: string | null;
}

type Line = Readonly<Record<string, unknown>>;

/** What a run came to, with nothing about the machine but its kind. */
export interface Report {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly tookSeconds: number;
  readonly node: string;
  readonly cores: number;
  readonly load: { readonly requestsPerSecond: number; readonly calls: number; readonly callsWithoutAnswer: number };
  readonly faults: Readonly<Record<string, number>>;
  readonly absorbed: Readonly<Record<string, number>>;
  readonly verdict: Verdict;
}

/** Sums a judged history up. */
export async function summarize(
  folder: string,
  about: { readonly command: string; readonly commit: string; readonly tookSeconds: number },
): Promise<Report> {
  const verdict = JSON.parse(await readFile(join(folder, 'verdict.json'), 'utf8')) as Verdict;
  const run = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as {
    startedAtMs: number;
    healedAtMs: number;
    deliveriesMovedForward: number;
  };
  const calls = await lines(folder, 'clients.jsonl');
  const webhooks = await lines(folder, 'webhooks.jsonl');
  const events = await lines(folder, 'amqp.jsonl');
  const ledger = await lines(folder, 'provider.jsonl');
  const sent = calls.filter(({ kind }) => kind === 'sent');
  const faults = (await lines(folder, 'faults.jsonl')).filter(
    ({ detail }) => (detail as { happened?: boolean }).happened !== false,
  );
  return {
    date: new Date(run.startedAtMs).toISOString().slice(0, 10),
    ...about,
    node: process.version,
    cores: cpus().length,
    load: {
      requestsPerSecond: round(
        verdict.requests / ((run.healedAtMs - Number(sent[0]?.['atMs'] ?? run.startedAtMs)) / 1000),
      ),
      calls: sent.length,
      callsWithoutAnswer: calls.filter(({ kind }) => kind === 'lost').length,
    },
    faults: count(faults.map(({ kind }) => String(kind))),
    absorbed: {
      'submissions repeated under their key': repeated(
        sent.filter(({ op }) => op === 'submit'),
        'idempotencyKey',
      ),
      'deliveries that came more than once': repeated(webhooks, (line) => `${String(line['url'])} ${webhookId(line)}`),
      'messages that came more than once': repeated(events, 'messageId'),
      'pings that came more than once': repeated(
        ledger.filter(({ kind }) => kind === 'ping-sent'),
        'authReqId',
      ),
      'deliveries whose next attempt was moved forward': run.deliveriesMovedForward,
    },
    verdict,
  };
}

/** Writes the report as Markdown and as JSON, as `<base>.md` and `<base>.json`. */
export async function writeReport(report: Report, base: string): Promise<void> {
  await writeFile(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(`${base}.md`, markdown(report));
}

function markdown({
  date,
  commit,
  command,
  tookSeconds,
  node,
  cores,
  load,
  faults,
  absorbed,
  verdict,
}: Report): string {
  const { requests, seed, counters, outcomes, outcomeUnknown, recovery, invariants, sometimes, ok } = verdict;
  const total = Object.values(faults).reduce((sum, number) => sum + number, 0);
  return [
    `# The chaos run of ${date}`,
    '',
    `${requests} requests, ${total} faults, ${ok ? 'nothing lost, nothing doubled' : '**not all is well**'}; seed ${seed}, ` +
      `commit ${commit}. Made by`,
    '',
    '```',
    command,
    '```',
    '',
    `in ${tookSeconds} s on ${cores} cores with Node.js ${node}: two of each service, one PostgreSQL, one RabbitMQ; ` +
      `${load.requestsPerSecond} requests a second, ${load.calls} calls, of which ${load.callsWithoutAnswer} got no answer. ` +
      'The same seed gives the same load and the same faults; what the operating system makes of them differs.',
    '',
    ...table('Faults', ['kind', 'times'], sorted(faults)),
    ...table('Counters', ['', 'requests'], Object.entries(counters)),
    ...table('How the requests ended', ['outcome', 'requests'], sorted(outcomes)),
    ...table(
      '`outcome_unknown`, by cause',
      ['cause', 'requests'],
      sorted(count(outcomeUnknown.map(({ cause }) => kindOfCause(cause)))),
    ),
    ...table('Duplicates absorbed', ['', 'times'], Object.entries(absorbed)),
    ...table(
      'Recovery, from the healing until the stopped work flowed again',
      ['of', 'times', 'p50, ms', 'p95, ms', 'longest, ms', 'p95 at most, ms'],
      Object.entries(recovery).map(([of, { count: times, p50, p95, max, limit }]) => [of, times, p50, p95, max, limit]),
    ),
    ...table(
      'Invariants',
      ['', 'claim', 'checked', 'violated', 'notes'],
      Object.entries(invariants).map(([id, { ok: fine, claim, checked, violated, notes, elsewhere }]) => [
        id,
        claim,
        fine === null ? 'elsewhere' : checked,
        fine === null ? '' : violated,
        [...notes, ...(fine === null && elsewhere !== null ? [`proven by ${elsewhere}`] : [])].join('; '),
      ]),
    ),
    ...table('Rare paths that were taken', ['path', 'times'], Object.entries(sometimes)),
  ].join('\n');
}

function table(title: string, head: readonly string[], rows: readonly (readonly unknown[])[]): string[] {
  const cell = (value: unknown): string =>
    typeof value === 'string' || typeof value === 'number' ? String(value).replaceAll('|', '\\|') : '–';
  const row = (cells: readonly unknown[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [`## ${title}`, '', row(head), row(head.map(() => '---')), ...rows.map(row), ''];
}

/** A cause names one fault of the run; what counts here is its kind. */
const kindOfCause = (cause: string | null): string => cause?.replaceAll(/\b[a-z-]*\d+\b/g, '…') ?? 'unexplained';

const sorted = (counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts).sort(([, one], [, other]) => other - one);

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** How many lines say again what an earlier one has said. */
function repeated(all: readonly Line[], key: string | ((line: Line) => string)): number {
  return all.length - new Set(all.map((line) => (typeof key === 'string' ? line[key] : key(line)))).size;
}

const webhookId = ({ headers }: Line): string => String((headers as Record<string, unknown>)['webhook-id']);

const round = (value: number): number => Math.round(value * 10) / 10;

const lines = async (folder: string, name: string): Promise<Line[]> =>
  (await readFile(join(folder, name), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
