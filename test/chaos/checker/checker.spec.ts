import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodingsOf } from './canaries.js';
import { forgeries } from './forgeries.js';
import { genuineHistory } from './genuine-history.js';
import { jsonLines, recordedRun, type PaperRun } from './history-builder.js';
import { joinHistory } from './history.js';
import { invariants } from './invariants/index.js';
import { judgeHistory, type Verdict } from './judge-history.js';
import { verdictTable } from './verdict-table.js';

const judge = (paper: PaperRun): Promise<Verdict> => judgeHistory(joinHistory(recordedRun(paper)));

describe('a genuine history', () => {
  let verdict: Verdict;
  beforeAll(async () => {
    verdict = await judge(genuineHistory().book.paper);
  });

  it('passes', () => {
    expect(verdictTable(verdict)).toContain('All is well.');
    expect(verdict.ok).toBe(true);
  });

  it('gives every invariant something to look at', () => {
    const idle = Object.entries(verdict.invariants).filter(([, { ok, checked }]) => ok !== null && checked === 0);
    expect(idle).toEqual([]);
    expect(verdict.vacuous).toEqual([]);
  });

  it('is counted', () => {
    expect(verdict.counters).toEqual({
      attempted: 15,
      acknowledged: 15,
      lost: 0,
      duplicated: 0,
      recovered: 1,
      unexpected: 0,
    });
    expect(verdict.outcomes).toMatchObject({ approved: 6, 'failed/outcome_unknown': 2, 'expired +late evidence': 1 });
    expect(verdict.outcomeUnknown).toMatchObject([
      { cause: expect.stringContaining('kill of poller-1') },
      { cause: 'the provider’s last answer, a 500' },
    ]);
    expect(verdict.recovery['process']).toMatchObject({ count: 2, p50: 1000, p95: 2000, max: 2000 });
  });
});

describe('a forged history is found out', () => {
  it.each(forgeries.map((forgery) => [forgery.flags, forgery.name, forgery] as const))(
    '%s: %s',
    async (_flags, _name, { flags, says, forge }) => {
      const { book, cast } = genuineHistory();
      forge(book, cast);
      const verdict = await judge(book.paper);
      const { ok, violations } = verdict.invariants[flags]!;
      expect(violations.map(({ about, what }) => `${about}: ${what}`).filter((text) => says.test(text))).not.toEqual(
        [],
      );
      expect(ok).toBe(false);
      expect(verdict.ok).toBe(false);
      expect(verdictTable(verdict)).toContain('NOT all is well.');
    },
  );

  it('for every invariant that is judged, in more than one way for most', () => {
    const forged = new Map(invariants.map(({ id }) => [id, forgeries.filter(({ flags }) => flags === id).length]));
    for (const { id, judge: judged } of invariants) expect([id, forged.get(id)! > 0]).toEqual([id, judged !== null]);
    expect(forgeries.length).toBeGreaterThanOrEqual(30);
  });
});

describe('what is not an invariant', () => {
  const judged = async (change: (paper: PaperRun) => void) => {
    const { paper } = genuineHistory().book;
    change(paper);
    return judge(paper);
  };

  it('fails a run that never took a rare path, unless it is short', async () => {
    const without = (paper: PaperRun) => void (paper.sometimes['basic-return'] = 0);
    expect(await judged(without)).toMatchObject({ ok: false, neverHappened: ['basic-return'] });
    const short = (paper: PaperRun) => void (without(paper), (paper.run.mode = 'short'));
    expect(await judged(short)).toMatchObject({ ok: true, neverHappened: [] });
  });

  it('does not believe a count that the ledgers contradict', async () => {
    const verdict = await judged((paper) => {
      paper.sometimes['slow-down-3'] = 7;
      for (const line of paper.provider) if (line.said === 'slow_down') line.said = 'pending';
    });
    expect(verdict.neverHappened).toEqual(['slow-down-3']);
  });

  it.each([
    ['is too slow', (paper: PaperRun) => void (paper.recovery[0]!.flowedAgainAtMs! += 60_000), /p95 of recovery is/],
    ['never came', (paper: PaperRun) => void (paper.recovery[0]!.flowedAgainAtMs = null), /nothing flowed again/],
    [
      'was not measured',
      (paper: PaperRun) => void (paper.recovery = paper.recovery.filter(({ target }) => target !== 'postgres')),
      /never measured/,
    ],
  ])('fails a run whose recovery %s', async (_what, change, says) => {
    const verdict = await judged(change);
    expect(verdict.ok).toBe(false);
    expect(verdict.recoveryViolations.map(({ what }) => what).join()).toMatch(says);
  });

  it('asserts no time of a short run', async () => {
    const verdict = await judged((paper) => {
      paper.run = { ...paper.run, mode: 'short' };
      paper.recovery[0]!.flowedAgainAtMs! += 60_000;
    });
    expect(verdict.recoveryViolations).toEqual([]);
  });

  it('counts what is lost and what is done twice', async () => {
    const { book, cast } = genuineHistory();
    const gone = cast.expired.row['id'];
    book.paper.database['authorization_requests'] = book.rows('authorization_requests').filter(({ id }) => id !== gone);
    book.rows('decisions').push({ ...book.rows('decisions')[0]!, id: 'another' });
    expect((await judge(book.paper)).counters).toMatchObject({ lost: 1, duplicated: 1 });
  });

  it('fails a run in which nothing happened', async () => {
    const { paper } = genuineHistory().book;
    const empty: PaperRun = {
      ...paper,
      clients: [],
      provider: [],
      webhooks: [],
      amqp: [],
      database: Object.fromEntries(Object.keys(paper.database).map((name) => [name, []])),
    };
    const verdict = await judge(empty);
    expect(verdict).toMatchObject({ ok: false, vacuous: expect.arrayContaining(['I1', 'I4', 'I15', 'I18']) });
  });

  it('finds a canary in base64 at any offset', () => {
    const canary = 'canary+/secret?';
    const base64 = encodingsOf(canary).filter(({ encoding }) => encoding.startsWith('base64'));
    for (const around of ['', 'x', 'xy', 'xyz']) {
      const text = Buffer.from(`${around}${canary}${around}`).toString('base64');
      expect(base64.some(({ bytes }) => text.includes(bytes.toString()))).toBe(true);
    }
  });
});

describe('the program', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assent-checker-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('reads a folder, writes its verdict, and tells by its exit code', async () => {
    const { book, cast } = genuineHistory();
    await write(book.paper);
    const good = await check();
    expect(good).toMatchObject({ code: 0, output: expect.stringContaining('All is well.') });
    expect(JSON.parse(await readFile(join(folder, 'verdict.json'), 'utf8'))).toMatchObject({ ok: true });

    cast.expired.row['status'] = 'approved';
    await write(book.paper);
    expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining('FAIL I4') });
    expect(JSON.parse(await readFile(join(folder, 'verdict.json'), 'utf8'))).toMatchObject({ ok: false });

    await writeFile(join(folder, 'provider.jsonl'), '{"kind":"start","atMs":1\n');
    expect(await check()).toMatchObject({
      code: 2,
      output: expect.stringContaining('provider.jsonl, line 1, is no JSON'),
    });
    await rm(join(folder, 'database/decisions.jsonl'));
    expect(await check()).toMatchObject({ code: 2, output: expect.stringContaining('decisions.jsonl is missing') });
  }, 60_000);

  async function write(paper: PaperRun): Promise<void> {
    await mkdir(join(folder, 'database'), { recursive: true });
    await mkdir(join(folder, 'logs'), { recursive: true });
    const files = {
      'run.json': JSON.stringify(paper.run),
      'sometimes.json': JSON.stringify(paper.sometimes),
      'clients.jsonl': jsonLines(paper.clients),
      'provider.jsonl': jsonLines(paper.provider),
      'webhooks.jsonl': jsonLines(paper.webhooks),
      'amqp.jsonl': jsonLines(paper.amqp),
      'faults.jsonl': jsonLines(paper.faults),
      'recovery.jsonl': jsonLines(paper.recovery),
      ...Object.fromEntries(
        Object.entries(paper.database).map(([name, rows]) => [`database/${name}.jsonl`, jsonLines(rows)]),
      ),
      ...Object.fromEntries(Object.entries(paper.logs).map(([name, text]) => [`logs/${name}`, text])),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  }

  function check(): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'check.mjs'), folder]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }
});
