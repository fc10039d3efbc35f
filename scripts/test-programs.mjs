/** Finds the programs that tests and benchmarks need beside the packages (RabbitMQ, a browser, Redis), or installs them. */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { command } from './command.mjs';
import { Obstacle, step } from './progress.mjs';

const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const rabbitServer = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const redisServer = '/usr/bin/redis-server';
const rabbitImage = 'rabbitmq:4';
const aptLimitMs = 600_000;

/** Answers the environment that the tests need, what could not be had (tests that need it are skipped), and how to undo it. */
export async function provideTestPrograms() {
  const wanted = [];
  if (!process.env.AMQP_URL && !existsSync(rabbitServer)) wanted.push('rabbitmq-server');
  if (!browser()) wanted.push('chromium');
  const problem = wanted.length > 0 ? await installWithApt(wanted) : null;

  const notes = [];
  const env = {};
  let stop = async () => {};
  if (process.env.AMQP_URL) env.ASSENT_TEST_AMQP_URL = process.env.AMQP_URL;
  else if (!existsSync(rabbitServer)) {
    const docker = await rabbitByDocker();
    if (docker.url) {
      env.ASSENT_TEST_AMQP_URL = docker.url;
      stop = docker.stop;
    } else {
      const reason = `no RabbitMQ: AMQP_URL is not set, rabbitmq-server is not installed, ${docker.problem}, ${problem}`;
      env.ASSENT_TEST_NO_RABBITMQ = reason;
      notes.push(`Tests that need RabbitMQ were skipped: ${reason}.`);
    }
  }
  if (!browser()) {
    const reason = `no browser: CHROMIUM_PATH is not set, no Chromium is installed, ${problem}`;
    env.ASSENT_TEST_NO_BROWSER = reason;
    notes.push(`Tests that need a browser were skipped: ${reason}.`);
  }
  return { env, notes, stop };
}

/**
 * Installs the servers that a run on private servers needs. Redis, which only peers of the benchmark use, may be missing.
 *
 * @throws Obstacle when there is no RabbitMQ afterwards.
 */
export async function provideServers({ redis = false } = {}) {
  const wanted = [];
  if (!existsSync(rabbitServer)) wanted.push('rabbitmq-server');
  if (redis && !existsSync(redisServer)) wanted.push('redis-server');
  if (wanted.length === 0) return;
  const problem = await installWithApt(wanted);
  if (!existsSync(rabbitServer)) {
    throw new Obstacle(`Install RabbitMQ (Debian: rabbitmq-server): ${rabbitServer} is missing, ${problem}.`);
  }
}

const browser = () => [process.env.CHROMIUM_PATH, ...browsers].find((path) => path && existsSync(path));

/** Installs packages of the system; answers why that did not work, or null. */
async function installWithApt(packages) {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return 'and there is no apt-get';
  if (process.getuid() !== 0) return `and \`apt-get install ${packages.join(' ')}\` needs root`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (args, say) =>
    command('apt-get', args, { env, limitMs: aptLimitMs, onLine: (line) => say(line.slice(0, 60)) });
  return withoutStartingServices(() =>
    step(`Installing ${packages.join(' and ')} with apt-get`, async (say) => {
      await apt(['update', '-q'], say);
      const { code, output, timedOut } = await apt(
        ['install', '-q', '-y', '--no-install-recommends', ...packages],
        say,
      );
      if (code === 0) return null;
      say('failed');
      return timedOut
        ? `and apt-get did not finish within ${aptLimitMs / 60_000} minutes`
        : `and apt-get failed (${output.trim().split('\n').at(-1)})`;
    }),
  );
}

// Tests run servers of their own; the package would start one for the whole machine.
async function withoutStartingServices(work) {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return work();
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    await rm(policy, { force: true });
  }
}

/** A broker in a container, removed by `stop`. */
async function rabbitByDocker() {
  const engine = await command('docker', ['version', '--format', '{{.Server.Version}}'], { limitMs: 10_000 });
  if (engine.code !== 0) return { problem: 'no container engine answers' };
  return step(`Starting ${rabbitImage} in a container`, async () => {
    const run = ['run', '--detach', '--rm', '--publish', '127.0.0.1::5672', rabbitImage];
    const started = await command('docker', run, { limitMs: 300_000 });
    if (started.code !== 0) return { problem: `the container does not start (${started.output.trim().slice(-200)})` };
    const id = started.output.trim().split('\n').at(-1);
    const port = await command('docker', ['port', id, '5672/tcp'], { limitMs: 10_000 });
    const ready = ['exec', id, 'rabbitmq-diagnostics', 'await_startup', '--timeout', '60'];
    const up = await command('docker', ready, { limitMs: 90_000 });
    const stop = async () => void (await command('docker', ['rm', '--force', id], { limitMs: 60_000 }));
    if (up.code !== 0) {
      await stop();
      return { problem: 'the broker in the container does not answer' };
    }
    return {
      stop,
      url: `amqp://guest:guest@${port.output.trim().split('\n')[0]}`,
    };
  });
}
