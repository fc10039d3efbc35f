/** A process that runs an embedded Postgres in the directory it is given, says so on one line, and waits to be killed. */
import { register } from 'node:module';

register('../../scripts/typescript-hooks.mjs', import.meta.url);
const { startEmbeddedPostgres } = await import('../../libs/persistence/src/index.ts');
try {
  const { url, pid, adopted } = await startEmbeddedPostgres({ dir: process.argv[2] });
  console.log(JSON.stringify({ url, pid, adopted }));
  setInterval(() => undefined, 60_000);
} catch (error) {
  console.log(JSON.stringify({ name: error.name, message: error.message }));
}
