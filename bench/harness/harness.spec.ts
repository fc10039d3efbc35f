import { describe, expect, it } from '@jest/globals';
import { takeAnswer } from '../load/raw-http-client.js';
import { headerOf, takeRequest } from '../outside/raw-http-server.js';
import { plotOf } from '../report/plot.js';
import { withResults } from '../report/readme.js';
import { markdownOf, short, summarize } from '../report/report.js';
import { atLeast, atMost, costOf, rateOf } from '../scenarios/compare.js';
import type { Scenario } from '../scenarios/scenario.js';
import type { Contestant, Sample } from './contestant.js';
import { parseStat, ProcessorTime, usedBetween } from './processor-time.js';
import { runInterleaved, type Series } from './rounds.js';
import { median, percentile, percentileBetween, spreadOf } from './statistics.js';

describe('figures', () => {
  it('are medians with their range', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 });
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(percentile([...Array(100).keys()].reverse(), 99)).toBe(98);
    expect(percentile([7], 50)).toBe(7);
    expect(() => median([])).toThrow();
    expect(() => percentile([], 50)).toThrow();
  });

  it('reads percentiles off what came into a histogram between two readings', () => {
    const histogram = (...counts: number[]) => new Map([5, 10, 20, Infinity].map((bound, at) => [bound, counts[at]!]));
    const none = histogram(0, 0, 0, 0);
    const before = histogram(7, 7, 8, 9);
    const after = histogram(7 + 50, 7 + 90, 8 + 100, 9 + 100);
    expect(percentileBetween(before, after, 25)).toBe(2.5);
    expect(percentileBetween(before, after, 50)).toBe(5);
    expect(percentileBetween(before, after, 70)).toBe(7.5);
    expect(percentileBetween(none, histogram(0, 0, 100, 100), 99)).toBeCloseTo(19.9);
    expect(percentileBetween(none, histogram(0, 0, 10, 100), 99)).toBe(20);
    expect(() => percentileBetween(before, before, 99)).toThrow();
  });

  it.each([
    [0, '0'],
    [0.12345, '0.123'],
    [12.345, '12.3'],
    [12_345, '12,300'],
    [NaN, '–'],
  ])('%p are shown as %s', (number, text) => expect(short(number)).toBe(text));
});

describe('processor time', () => {
  it('is read whatever the process is called', () => {
    const line = '42 (a) b (c)) S 7 1 1 0 -1 4194560 1 2 3 4 11 22 33 44 20 0 1 0 5 6 7';
    expect(parseStat(line)).toEqual({ parent: 7, ticks: 33, childTicks: 77 });
  });

  it('of this process grows, and counts once for two roots', () => {
    const meter = new ProcessorTime({ one: [process.pid], twice: [process.pid, process.pid] });
    const before = meter.read();
    for (const until = performance.now() + 60; performance.now() < until;);
    const used = usedBetween(before, meter.read());
    expect(used['one']).toBeGreaterThan(0);
    expect(used['twice']).toBe(used['one']);
  });

  it('of a process that is gone is an error and not a nought', () => {
    expect(() => new ProcessorTime({ gone: [2 ** 30] }).read()).toThrow('is gone');
  });
});

describe('bytes on the wire', () => {
  const request = 'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab=cd';

  it('are a request when all of it has come', () => {
    for (let length = 0; length < request.length; length++) expect(takeRequest(request.slice(0, length))).toBeNull();
    const taken = takeRequest(`${request}GET / HTTP/1.1\r\n\r\n`)!;
    expect(taken).toMatchObject({ method: 'POST', path: '/token', body: 'ab=cd', length: request.length });
    expect(headerOf(taken.head, 'host')).toBe('x');
    expect(headerOf(taken.head, 'hos')).toBeNull();
  });

  it('are an answer when all of it has come', () => {
    const answer = 'HTTP/1.1 202 X\r\nContent-Length: 2\r\n\r\n{}';
    for (let length = 0; length < answer.length; length++) expect(takeAnswer(answer.slice(0, length))).toBeNull();
    expect(takeAnswer(`${answer}HTTP/1.1`)).toMatchObject({ status: 202, body: '{}', length: answer.length });
    expect(takeAnswer('HTTP/1.1 204 X\r\n\r\n')).toMatchObject({ status: 204, body: '' });
    expect(() => takeAnswer('HTTP/1.1 200 X\r\n\r\nendless')).toThrow('Content-Length');
  });
});

const sample = (operations: number, micros: number): Sample => ({
  operations,
  seconds: 2,
  micros: { app: micros, postgres: micros },
  figures: { 'p99 ms': operations },
});

describe('a run', () => {
  it('lets everybody run in turn after one warm-up each, settles in between, and counts no warm-up', async () => {
    const ran: string[] = [];
    const contestant = (name: string): Contestant => ({
      name,
      kind: 'peer',
      run: async ({ warmUp, round }) => {
        ran.push(`${name}${warmUp ? 'w' : round}`);
        return sample(10, 20);
      },
    });
    const warmedUp = async () => void ran.push('warm');
    const options = { rounds: 2, quick: true, ownMicros: () => 0, cores: 2, tell: () => undefined, warmedUp };
    const series = await runInterleaved([contestant('a'), contestant('b')], options);
    expect(ran).toEqual(['aw', 'bw', 'warm', 'a1', 'b1', 'a2', 'b2']);
    expect(series.map(({ samples }) => samples.length)).toEqual([2, 2]);
  });

  const series: Series[] = [
    {
      name: 'Assent',
      kind: 'assent',
      samples: [400, 200, 300].map((n) => ({ ...sample(n, n * 10), foreignShare: 0.1 })),
    },
    { name: 'Peer', kind: 'peer', samples: [100, 150, 120].map((n) => ({ ...sample(n, n * 40), foreignShare: 0.3 })) },
  ];

  it('is compared by the medians', () => {
    expect(atLeast(series, 2.5, 'Assent', 'Peer', rateOf)).toMatchObject({ measured: 2.5, reached: true });
    expect(atLeast(series, 2.6, 'Assent', 'Peer', rateOf)).toMatchObject({ reached: false });
    expect(atMost(series, 0.25, 'Assent', 'Peer', costOf, 'cost')).toMatchObject({ measured: 0.25, reached: true });
    expect(atLeast(series, 1, 'Assent', 'Nobody', rateOf)).toMatchObject({ measured: null, reached: false });
  });

  it('becomes a page that says what was missed and what was not run', () => {
    const scenario: Scenario = {
      name: 'hop',
      ids: ['B0'],
      title: 'A hop',
      unit: 'things',
      takes: { prepare: 1, round: 1 },
      says: 'things are done',
      prepare: async () => [],
      targets: () => [
        atLeast(series, 2, 'Assent', 'Peer', rateOf),
        atLeast(series, 9, 'Assent', 'Peer', rateOf),
        atLeast(series, 9, 'Assent', 'Nobody', rateOf),
      ],
    };
    const host = { processor: 'p', node: '20', postgres: '18', rabbitmq: '3' };
    const conditions = { ...host, command: 'c', commit: 'abc', date: 'd', rounds: 3, quick: true, cores: 2 };
    const page = markdownOf(conditions, [summarize(scenario, series)]);
    expect(page).toContain('| B0 | A hop | at least 2 × Peer | 2.5 | reached |');
    expect(page).toContain('| B0 | A hop | at least 9 × Peer | 2.5 | **missed** |');
    expect(page).toContain('| B0 | A hop | at least 9 × Nobody | – | not run |');
    expect(page).toContain('| Peer | 2.5 | 0.25 | 60 (50–75) | 80 (80–80) | 40 | 40 | 120 (100–150) | 30 % |');
    expect(page).toContain('A quick run');
    expect(page).not.toContain('Not measured');
    const incomplete = markdownOf(conditions, [], ['other: Error: two callbacks are missing\n    at a place']);
    expect(incomplete).toContain('## Not measured\n\n- other: Error: two callbacks are missing\n');
    expect(incomplete).not.toContain('at a place');

    const readme = 'before\n<!-- benchmark: written by `npm run bench -- --evidence` -->\nold\n<!-- end -->\nafter';
    const written = withResults(readme, conditions, [summarize(scenario, series)]);
    expect(written).toContain('| A hop | 150 things/s | – | 2.5 × |');
    expect([written.startsWith('before\n'), written.endsWith('<!-- end -->\nafter')]).toEqual([true, true]);
    expect(written).not.toContain('old');
    expect(() => withResults('no marks', conditions, [])).toThrow('no place');
    expect(plotOf([summarize(scenario, series)])).toContain('2.5 ×');
  });
});
