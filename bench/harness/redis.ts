import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freeConsecutivePorts } from '../../test/support/rabbitmq-ports.js';

/** A private Redis for the peers that need one. */
export interface Redis {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const program = '/usr/bin/redis-server';
const startLimitMs = 30_000;

/** Starts a Redis that flushes its log every second, as BullMQ's documentation asks for; null where none is installed. */
export async function startRedis(): Promise<Redis | null> {
  if (!existsSync(program)) return null;
  const port = await freeConsecutivePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'assent-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const kept = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
  const child = spawn(program, [...args, ...kept], { stdio: 'ignore' });
  const deadline = Date.now() + startLimitMs;
  while (!(await answers(port))) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('Redis does not start.');
    await pause(50);
  }
  return {
    port,
    pid: child.pid!,
    async stop() {
      const left = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await left;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => (socket.destroy(), resolve(true))).once('error', () => resolve(false));
  });
