/** Writes `.env` for docker compose: `.env.example` with every secret filled in. Never overwrites one. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';

const password = () => randomBytes(24).toString('hex');
const services = ['RULES_SERVICE', 'CIBA_WORKER', 'POLLER', 'DECISION_SERVICE'];
const makers = {
  POSTGRES_PASSWORD: password,
  RABBITMQ_PASSWORD: password,
  ...Object.fromEntries(['MIGRATOR', ...services].map((name) => [`ASSENT_${name}_DATABASE_PASSWORD`, password])),
  ...Object.fromEntries(services.map((name) => [`ASSENT_${name}_BROKER_PASSWORD`, password])),
  ASSENT_MASTER_KEYS: () => `k1:${randomBytes(32).toString('base64')}`,
  ASSENT_API_KEY: () => `assent_${randomBytes(24).toString('base64url')}`,
};

await run(() => {
  const target = join(root, '.env');
  if (existsSync(target)) throw new Obstacle('.env is there already; remove it first if you want new secrets.');
  let text = readFileSync(join(root, '.env.example'), 'utf8');
  for (const [name, make] of Object.entries(makers)) {
    const empty = new RegExp(`^${name}=$`, 'm');
    if (!empty.test(text)) throw new Obstacle(`.env.example has no empty ${name}.`);
    text = text.replace(empty, () => `${name}=${make()}`);
  }
  writeFileSync(target, text, { mode: 0o600, flag: 'wx' });
  console.log('Written: .env, with new secrets. Keep it: without ASSENT_MASTER_KEYS the database cannot be read.');
});
