import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const hooks = `import { register } from 'node:module'; register(${JSON.stringify(new URL('../../scripts/typescript-hooks.mjs', import.meta.url).href)});`;
const startLimitMs = 120_000;
const callLimitMs = 600_000;

interface Reply {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A part of the benchmark in a process of its own, so that its processor time is its own. */
export class Program {
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #calls = 0;
  #output = '';

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (reply: Reply) => this.#settle(reply));
    child.once('exit', (code, signal) => this.#failAll(`${name} has ended (${code ?? signal}):\n${this.#output}`));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (this.#output = (this.#output + String(text)).slice(-8_000)));
    }
  }

  /** Starts a program below `bench/` and has it `start` with the configuration; its answer is `started`. */
  static async start<Started>(
    file: string,
    config: unknown,
    options: { readonly nodeArgs?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<Program & { readonly started: Started }> {
    const loader = file.endsWith('.ts') ? ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`] : [];
    const child = fork(join(root, 'bench', file), [], {
      cwd: root,
      execArgv: [...loader, ...(options.nodeArgs ?? [])],
      env: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], NODE_ENV: 'production', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    const program = new Program(file, child);
    try {
      const started = await program.call<Started>('start', config, startLimitMs);
      return Object.assign(program, { started });
    } catch (error) {
      await program.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Has the program do something and answers what it says. */
  call<Value = void>(command: string, value: unknown = null, limitMs = callLimitMs): Promise<Value> {
    const number = ++this.#calls;
    return new Promise<Value>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle({ number, error: `${this.name} did not answer "${command}" in ${limitMs} ms` });
      }, limitMs);
      const done = () => clearTimeout(timer);
      this.#waiting.set(number, {
        resolve: (answer) => (done(), resolve(answer as Value)),
        reject: (error) => (done(), reject(error)),
      });
      this.child.send({ number, command, value }, (error) => {
        if (error) this.#settle({ number, error: `${this.name}: ${error.message}` });
      });
    });
  }

  /** Stops it in its tracks, so that it takes nothing from the others. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Ends it; resolves when it has ended. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const left = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await left;
  }

  #settle({ number, value, error }: Reply): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${this.name}: ${error}\n${this.#output}`));
  }

  #failAll(error: string): void {
    for (const number of [...this.#waiting.keys()]) this.#settle({ number, error });
  }
}
