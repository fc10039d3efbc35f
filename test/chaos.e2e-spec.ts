import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeWithPrivateBroker } from './support/needs.js';

const limitMs = 600_000;

/** A short chaos run with its checker, as a person would start it. */
describeWithPrivateBroker('the chaos run', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assent-chaos-run-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it(
    'loses nothing, doubles nothing and invents nothing over fifteen faults',
    async () => {
      const { code, output } = await chaos(['--short', '--out', join(folder, 'run')]);
      // The output ends with the seed and the command that replays the run.
      if (code !== 0) throw new Error(output.slice(-8_000));
      const verdict = JSON.parse(await readFile(join(folder, 'run/verdict.json'), 'utf8')) as { ok: boolean };
      expect(verdict).toMatchObject({ ok: true });
    },
    limitMs,
  );
});

function chaos(options: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['scripts/chaos.mjs', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-100_000)));
    }
    const limit = setTimeout(() => child.kill('SIGTERM'), limitMs - 30_000);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    });
  });
}
