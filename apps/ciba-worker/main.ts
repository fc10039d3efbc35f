import 'reflect-metadata';
import { runAlone } from '#lib/assembly';
import { cibaWorkerConfig } from './src/ciba-worker.config.js';
import { CibaWorkerModule } from './src/ciba-worker.module.js';

await runAlone(
  {
    name: 'ciba-worker',
    schema: cibaWorkerConfig,
    module: (config, parts) => CibaWorkerModule.register({ ...parts, config }),
  },
  process.env,
);
