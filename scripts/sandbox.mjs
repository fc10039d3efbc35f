/**
 * `npm run sandbox`: installs what is missing, builds what is stale, then becomes the sandbox alone, for whoever
 * develops a CIBA client: a real provider, simulated ones, and two phones.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildWhatIsStale } from './build.mjs';
import { stopListening } from './command.mjs';
import { inThisClone, installWhatIsMissing, requireNode, root } from './install.mjs';
import { run } from './progress.mjs';

await run(async () => {
  requireNode();
  await inThisClone(async (announce) => {
    await installWhatIsMissing(announce);
    await buildWhatIsStale();
  });
  stopListening();
  process.chdir(root);
  await import(pathToFileURL(join(root, 'dist/apps/sandbox/main.js')).href);
});
