/**
 * `npm start`: installs what is missing, builds what is stale, then becomes Assent in one process. The application
 * runs in this very process: signals, exit code and output are its own, and nothing has to be passed on.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildWhatIsStale } from './build.mjs';
import { stopListening } from './command.mjs';
import { inThisClone, installWhatIsMissing, requireNode, root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';

await run(async () => {
  requireNode();
  await inThisClone(async (announce) => {
    await installWhatIsMissing(announce);
    await buildWhatIsStale();
  });
  const main = join(root, 'dist/apps/standalone/main.js');
  if (!existsSync(main)) throw new Obstacle(`${main} is missing: run \`npm run build\`.`);
  stopListening();
  process.chdir(root);
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(main).href);
});
