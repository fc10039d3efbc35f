import 'reflect-metadata';
import { runAlone } from '#lib/assembly';
import { pollerConfig } from './src/poller.config.js';
import { PollerModule } from './src/poller.module.js';

await runAlone(
  { name: 'poller', schema: pollerConfig, module: (config, parts) => PollerModule.register({ ...parts, config }) },
  process.env,
);
