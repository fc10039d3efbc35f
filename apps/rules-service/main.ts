import 'reflect-metadata';
import { runAlone } from '#lib/assembly';
import { rulesServiceConfig } from './src/rules-service.config.js';
import { RulesServiceModule } from './src/rules-service.module.js';

await runAlone(
  {
    name: 'rules-service',
    makesKeys: true,
    schema: rulesServiceConfig,
    farewellMs: (config) => config.ASSENT_FAREWELL_SECONDS * 1000,
    module: (config, parts) => RulesServiceModule.register({ ...parts, config }),
  },
  process.env,
);
