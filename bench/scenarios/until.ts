import { setTimeout as pause } from 'node:timers/promises';

/** Resolves as soon as something is so; rejects when it takes too long. */
export async function until(what: string, isSo: () => Promise<boolean>, limitMs = 120_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`After ${limitMs} ms it is still not so that ${what}.`);
    await pause(20);
  }
}
