import { join } from 'node:path';
import { startSandbox } from './src/sandbox.module.js';

const { env } = process;

try {
  const sandbox = await startSandbox({
    port: portOf(env.ASSENT_SANDBOX_PORT || '3001'),
    host: env.ASSENT_SANDBOX_HOST || undefined,
    url: env.ASSENT_SANDBOX_URL || undefined,
    assentUrl: env.ASSENT_URL || null,
    assentApiKey: env.ASSENT_API_KEY || null,
    dataDir: env.ASSENT_DATA_DIR ? join(env.ASSENT_DATA_DIR, 'sandbox') : undefined,
    log: (level, message, detail) => {
      if (level !== 'info') process.stderr.write(`${message} ${JSON.stringify(detail ?? {})}\n`);
    },
  });
  process.stdout.write(
    [
      ['Provider', sandbox.issuer, 'oidc-provider with CIBA'],
      ['Personas', sandbox.personasUrl, 'providers that the sandbox plays, with what they do: a simulation of ours'],
      ['Phone', sandbox.phoneUrl, 'where alice and bob answer'],
      ['Shop', sandbox.shopUrl, 'a sample application'],
      [
        'Clients',
        `${sandbox.url}/sandbox.json`,
        'ids, public secrets and certificates (also as files, /certificates/client.pem)',
      ],
      ['Calls', `${sandbox.url}/calls`, 'what clients called lately; of a persona: /as/<name>/calls'],
    ]
      .map(([what = '', where = '', says = '']) => `${what.padEnd(10)}${where.padEnd(36)}${says}\n`)
      .join(''),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.stop());
} catch (error) {
  process.stderr.write(`\n  ${error instanceof Error ? error.message : String(error)}\n\n`);
  process.exit(1);
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new Error(`ASSENT_SANDBOX_PORT is "${text}": give the number of a free port, 1 to 65535.`);
}
