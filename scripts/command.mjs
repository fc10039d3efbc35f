import { spawn } from 'node:child_process';

const longestTail = 16_384;
const running = new Set();

/** The signal that asked this script to stop, or null. */
let stoppedBy = null;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

function stop(signal) {
  stoppedBy ??= signal;
  // A terminal sends its Ctrl-C to the whole group: the programs that run have got it already.
  const fromTerminal = signal === 'SIGINT' && (process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  if (!fromTerminal) for (const child of running) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  if (running.size === 0) process.exit(exitCodeOf(null, stoppedBy));
}
for (const signal of signals) process.on(signal, stop);

/** Leaves the signals to whoever runs in this process from now on. */
export function stopListening() {
  for (const signal of signals) process.removeListener(signal, stop);
}

/** Ends the programs that still run. */
export function endRunning() {
  for (const child of running) child.kill('SIGTERM');
}

/** The exit code that a shell would report. */
export const exitCodeOf = (code, signal) =>
  code ?? { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 }[signal] ?? 1;

/**
 * Runs a program to its end and answers its exit code and the end of what it printed; nothing is printed here unless
 * `show` is set; `onStart` gets its process id, `onLine` each line. It is ended after `limitMs`. When this script was asked to stop meanwhile, it stops once the program
 * has ended.
 */
export function command(program, args, { show = false, limitMs = 0, cwd, env, onLine, onStart } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: env ?? process.env,
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    running.add(child);
    if (child.pid !== undefined) onStart?.(child.pid);
    let output = '';
    let timedOut = false;
    const timer = limitMs > 0 ? setTimeout(() => ((timedOut = true), child.kill('SIGTERM')), limitMs) : null;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-longestTail);
        if (onLine) for (const line of text.split('\n')) if (line.trim()) onLine(line.trim());
      });
    }
    const end = (code, signal, problem) => {
      if (timer) clearTimeout(timer);
      running.delete(child);
      if (stoppedBy) process.exit(exitCodeOf(null, stoppedBy));
      resolve({ code: exitCodeOf(code, signal), output: problem ? `${output}${problem.message}` : output, timedOut });
    };
    child.once('error', (problem) => end(127, null, problem));
    child.once('close', (code, signal) => end(code, signal));
  });
}

/** Runs one of this clone's own Node programs. */
export const node = (args, options) => command(process.execPath, args, options);
