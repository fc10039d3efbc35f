import 'reflect-metadata';
import { runAlone } from '#lib/assembly';
import { decisionServiceConfig } from './src/decision-service.config.js';
import { DecisionServiceModule } from './src/decision-service.module.js';

await runAlone(
  {
    name: 'decision-service',
    makesKeys: true,
    schema: decisionServiceConfig,
    module: (config, parts) => DecisionServiceModule.register({ ...parts, config }),
  },
  process.env,
);
