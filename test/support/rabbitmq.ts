import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import {
  brokerDefinitions,
  brokerServices,
  type BrokerService,
  type BrokerUsers,
} from '../../libs/messaging/src/rabbit/broker-users.js';
import { freeConsecutivePorts } from './rabbitmq-ports.js';
import { useRunServer } from './run-servers.js';

/** Where Debian's package puts the server; the wrappers in /usr/sbin change the user, which a private node must not. */
const programs = '/usr/lib/rabbitmq/bin';
const startLimitMs = 180_000;

/** A RabbitMQ server of our own, on the loopback address, with its files in a directory of its own. */
export interface Rabbit {
  /** The broker's address with its default virtual host. */
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  /** Ends the server as a power cut would; its files stay. */
  kill9(): Promise<void>;
  /** Starts it again on the same port with the same files, after stopping it if it runs. */
  restart(): Promise<void>;
  /** Stops the server's clock: connections stay, nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Throws away everything the broker ever stored, as the loss of its disk would, and starts it again. */
  wipe(): Promise<void>;
  /** Runs rabbitmqctl and returns what it printed. */
  ctl(args: readonly string[]): Promise<string>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** A broker to test against, which may be shared with other test files: its virtual host is not. */
export interface BrokerAccess {
  /** With every right. */
  readonly url: string;
  /** With the rights of a service there; null where nobody can say how to make users. */
  readonly serviceUrls: Readonly<Record<BrokerService, string>> | null;
  stop(): Promise<void>;
}

/**
 * Starts a private RabbitMQ node on three free consecutive ports (AMQP, epmd, distribution).
 *
 * @throws when no rabbitmq-server is installed, or when it does not come up.
 */
export async function startRabbit(): Promise<Rabbit> {
  if (!existsSync(join(programs, 'rabbitmq-server'))) {
    throw new Error(
      `no RabbitMQ server: ${programs}/rabbitmq-server is missing (Debian: apt-get install rabbitmq-server)`,
    );
  }
  const port = await freeConsecutivePorts(3);
  const directory = await mkdtemp(join(tmpdir(), 'assent-rabbit-'));
  const node = new RabbitNode(directory, port);
  await node.prepare();
  await node.start();
  return node;
}

/**
 * The broker of the test run (ASSENT_TEST_AMQP_URL), in a new virtual host where ASSENT_TEST_RABBIT_DIR and
 * ASSENT_TEST_RABBIT_PORT say how to make one; without such a broker, a private one.
 */
export async function sharedRabbit(): Promise<BrokerAccess> {
  await useRunServer('rabbitmq');
  const url = process.env.ASSENT_TEST_AMQP_URL;
  if (!url) {
    const rabbit = await startRabbit();
    const serviceUrls = await limitUsers(rabbit, rabbit.url, '/', []);
    return { url: rabbit.url, serviceUrls, stop: () => rabbit.stop() };
  }
  const directory = process.env.ASSENT_TEST_RABBIT_DIR;
  const port = Number(process.env.ASSENT_TEST_RABBIT_PORT);
  if (!directory || !port) return { url, serviceUrls: null, stop: async () => {} };

  const vhost = `test-${randomUUID()}`;
  const ctl = (args: readonly string[]) => rabbitmqctl(directory, port, args);
  const everything = { configure: '.*', write: '.*', read: '.*' };
  const ours = new URL(url);
  ours.pathname = `/${vhost}`;
  // One call for all of it: every rabbitmqctl starts a virtual machine.
  const serviceUrls = await limitUsers({ ctl, directory }, ours.href, vhost, [{ user: 'guest', vhost, ...everything }]);
  const leave = [
    `rabbit_vhost:delete(<<"${vhost}">>, <<"test">>)`,
    ...brokerServices.map(
      (service) => `rabbit_auth_backend_internal:delete_user(<<"${service}.${vhost}">>, <<"test">>)`,
    ),
  ];
  return { url: ours.href, serviceUrls, stop: async () => void (await ctl(['eval', `${leave.join(', ')}.`])) };
}

/** Makes the virtual host and the users of the services in it, as an operator would; answers their addresses. */
async function limitUsers(
  { ctl, directory }: Pick<Rabbit, 'ctl' | 'directory'>,
  url: string,
  vhost: string,
  permissions: readonly object[],
): Promise<Record<BrokerService, string>> {
  const user = (service: BrokerService) => ({ name: `${service}.${vhost}`, password: randomUUID() });
  const users = Object.fromEntries(brokerServices.map((service) => [service, user(service)])) as BrokerUsers['users'];
  const definitions = brokerDefinitions({ vhost, users });
  const file = join(directory, `definitions-${randomUUID()}.json`);
  const text = { vhosts: [{ name: vhost }], ...definitions, permissions: [...definitions.permissions, ...permissions] };
  await writeFile(file, JSON.stringify(text));
  await ctl(['import_definitions', file]);
  await rm(file);
  const address = ({ name, password }: { name: string; password: string }): string => {
    const own = new URL(url);
    own.username = encodeURIComponent(name);
    own.password = password;
    return own.href;
  };
  return Object.fromEntries(brokerServices.map((service) => [service, address(users[service])])) as Record<
    BrokerService,
    string
  >;
}

class RabbitNode implements Rabbit {
  readonly url: string;
  private server: ChildProcess | null = null;
  private guard: ChildProcess | null = null;

  constructor(
    readonly directory: string,
    readonly port: number,
  ) {
    this.url = `amqp://127.0.0.1:${port}`;
  }

  async prepare(): Promise<void> {
    await chmod(this.directory, 0o755);
    for (const name of ['mnesia', 'log', 'home']) await mkdir(join(this.directory, name), { recursive: true });
    await writeFile(join(this.directory, 'enabled_plugins'), '[].');
    await writeFile(join(this.directory, 'home/.erlang.cookie'), `cookie${randomUUID()}`, { mode: 0o400 });
    await writeFile(
      join(this.directory, 'rabbitmq.conf'),
      [
        `listeners.tcp.1 = 127.0.0.1:${this.port}`,
        'log.console = false',
        `log.file = ${this.directory}/log/rabbit.log`,
        'vm_memory_high_watermark.absolute = 512MB',
        'disk_free_limit.absolute = 50MB',
        '',
      ].join('\n'),
    );
  }

  async start(): Promise<void> {
    const output = await open(join(this.directory, 'log/stdout'), 'a');
    const server = spawn(join(programs, 'rabbitmq-server'), [], {
      cwd: this.directory,
      env: { ...environment(this.directory, this.port), ...serverEnvironment(this.directory, this.port) },
      stdio: ['ignore', output.fd, output.fd],
      detached: true,
    });
    await output.close();
    this.server = server;
    this.guard ??= guardAgainstOrphans(this.directory, this.port);
    await writeFile(join(this.directory, 'pid'), String(server.pid));
    await this.untilItAnswers(server);
  }

  async kill9(): Promise<void> {
    // RabbitMQ 3.10 saves its list of quorum queues twice a second; one killed sooner after its birth never comes back.
    await pause(1_000);
    await this.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.end('SIGTERM');
    await this.start();
  }

  freeze(): void {
    this.server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.server?.kill('SIGCONT');
  }

  async wipe(): Promise<void> {
    await this.end('SIGKILL');
    await rm(join(this.directory, 'mnesia'), { recursive: true });
    await mkdir(join(this.directory, 'mnesia'));
    await this.start();
  }

  ctl(args: readonly string[]): Promise<string> {
    return rabbitmqctl(this.directory, this.port, args);
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    // The guard ends the private epmd when its input ends, and leaves with it.
    const guard = this.guard;
    if (guard) {
      const left = new Promise((resolve) => guard.once('exit', resolve));
      guard.stdin?.end();
      await left;
      this.guard = null;
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const server = this.server;
    if (!server) return;
    this.server = null;
    await rm(join(this.directory, 'pid'), { force: true });
    if (server.exitCode !== null || server.signalCode !== null) return;
    const left = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await left;
  }

  private async untilItAnswers(server: ChildProcess): Promise<void> {
    const deadline = Date.now() + startLimitMs;
    while (Date.now() < deadline && server.exitCode === null && server.signalCode === null) {
      try {
        const connection = await connect(this.url, { timeout: 5_000 });
        await connection.close();
        return;
      } catch {
        await pause(100);
      }
    }
    const output = await readFile(join(this.directory, 'log/stdout'), 'utf8');
    await this.stop();
    throw new Error(`RabbitMQ did not start on port ${this.port}:\n${output.slice(-2_000)}`);
  }
}

async function rabbitmqctl(directory: string, port: number, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(programs, 'rabbitmqctl'), ['-q', ...args], {
    cwd: directory,
    env: environment(directory, port),
    timeout: 60_000,
  });
  return stdout;
}

/** What the server and its tools must agree on. */
function environment(directory: string, port: number): Record<string, string> {
  return {
    PATH: '/usr/bin:/bin',
    HOME: join(directory, 'home'),
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: String(port + 1),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `assent${port}@localhost`,
    RABBITMQ_CONF_ENV_FILE: join(directory, 'none.conf'),
  };
}

function serverEnvironment(directory: string, port: number): Record<string, string> {
  return {
    // Makes the start script become the server rather than its parent, so that the pid we hold is the server's.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_DIST_PORT: String(port + 2),
    RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    // Busy waiting of the schedulers would take the processor from the tests.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
  };
}

/**
 * Waits for the end of this process, however it ends, and then takes down the server and its private epmd:
 * its input is a pipe that only we hold open.
 */
function guardAgainstOrphans(directory: string, port: number): ChildProcess {
  const script = [
    'cat > /dev/null',
    'if [ -f "$1/pid" ]; then kill -9 "$(cat "$1/pid")"; sleep 1; fi',
    'for _ in 1 2 3; do epmd -port "$2" -kill && break; sleep 1; done',
    'rm -rf "$1"',
  ].join('\n');
  const guard = spawn('/bin/sh', ['-c', script, 'guard', directory, String(port + 1)], {
    cwd: '/',
    env: environment(directory, port),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  return guard;
}
