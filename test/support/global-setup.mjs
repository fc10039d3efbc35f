import { createServer } from 'node:http';
import { register } from 'node:module';

/**
 * One RabbitMQ and one Postgres for the whole run, each started when the first test file asks for it: a run of unit
 * tests starts nothing. The test files run in processes of their own and ask over the loopback address
 * (see run-servers.ts); the servers belong to this process and end with it.
 */
export default async function setUp() {
  const starts = {
    rabbitmq: async () => {
      const { startRabbit } = await sources('./rabbitmq.ts');
      const rabbit = await startRabbit();
      return {
        stop: () => rabbit.stop(),
        env: {
          ASSENT_TEST_AMQP_URL: rabbit.url,
          ASSENT_TEST_RABBIT_DIR: rabbit.directory,
          ASSENT_TEST_RABBIT_PORT: String(rabbit.port),
        },
      };
    },
    postgres: async () => {
      const { startPostgres } = await sources('./postgres.ts');
      const postgres = await startPostgres();
      return { stop: () => postgres.stop(), env: { ASSENT_TEST_DATABASE_URL: postgres.url } };
    },
  };
  const started = new Map();
  const server = createServer((request, response) => {
    // A file asks once or twice: a connection that is kept may close just when it asks again.
    response.setHeader('connection', 'close');
    const name = request.url.slice(1);
    if (!started.has(name)) started.set(name, Promise.resolve().then(starts[name]));
    started.get(name).then(
      ({ env }) => response.end(JSON.stringify({ env })),
      (error) => response.writeHead(500).end(JSON.stringify({ problem: String(error?.stack ?? error) })),
    );
  });
  await listen(server);
  process.env.ASSENT_TEST_SERVERS = `http://127.0.0.1:${server.address().port}`;
  globalThis.stopTestServers = async () => {
    server.closeAllConnections();
    server.close();
    const running = await Promise.allSettled(started.values());
    await Promise.all(running.map((result) => result.value?.stop()));
  };
}

let registered = false;
const sources = (path) => {
  // Test support is TypeScript; this file runs outside of jest's transformation.
  if (!registered) register('../../scripts/typescript-hooks.mjs', import.meta.url);
  registered = true;
  return import(path);
};

/** Below the ports that the kernel hands to clients. */
async function listen(server) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    const listening = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    server.removeAllListeners('error');
    if (listening) return;
  }
  throw new Error('no free port for the servers of the test run');
}
