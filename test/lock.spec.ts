import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, it } from '@jest/globals';

/** `alone` of scripts/lock.mjs, each call in a process of its own. */
describe('a lock of the scripts', () => {
  let folder: string;
  let file: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assent-lock-'));
    file = join(folder, 'setup.lock');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Takes the lock, says so, and holds it until its input ends. */
  const taker = () => {
    const lock = pathToFileURL(join(process.cwd(), 'scripts/lock.mjs')).href;
    const script = `
      import { alone } from ${JSON.stringify(lock)};
      await alone(${JSON.stringify(file)}, async () => {
        console.log('has it');
        await new Promise((resolve) => process.stdin.on('end', resolve).resume());
      }, (pid) => console.log('waits for ' + pid));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const says = async (words: string): Promise<void> => {
      while (!text.includes(words)) await new Promise((resolve) => child.stdout.once('data', resolve));
    };
    return { child, says };
  };

  it('is waited for while its owner lives', async () => {
    const first = taker();
    await first.says('has it');
    const second = taker();
    await second.says(`waits for ${first.child.pid}`);
    first.child.stdin.end();
    await second.says('has it');
  }, 60_000);

  it('is taken over from an owner that was killed', async () => {
    const first = taker();
    await first.says('has it');
    first.child.kill('SIGKILL');
    await new Promise((resolve) => first.child.once('exit', resolve));
    await taker().says('has it');
  }, 60_000);

  it('is taken over when another process has got the id of its owner, as after a restart of the machine', async () => {
    const first = taker();
    await first.says('has it');
    const [line] = (await readFile(file, 'utf8')).split('\n');
    // This very process lives, and is not the one that began then.
    await writeFile(file, `${process.pid} ${line!.split(' ')[1]}\n`);
    await taker().says('has it');
  }, 60_000);
});
