import 'reflect-metadata';
import { createLog, parseConfig, untilSignal } from '#lib/runtime';
import { startStandalone } from './src/standalone.js';
import { standaloneConfig } from './src/standalone.config.js';
import { welcome } from './src/welcome.js';

try {
  const stopped = untilSignal();
  const config = parseConfig(standaloneConfig, process.env);
  const standalone = await startStandalone(config, createLog({ service: 'assent', level: config.LOG_LEVEL }));
  process.stdout.write(welcome(standalone));
  await stopped;
  process.stdout.write('\n  Stopping …\n');
  await standalone.stop();
  process.exit(0);
} catch (error) {
  process.stderr.write(`\n  ${error instanceof Error ? error.message : String(error)}\n\n`);
  process.exit(1);
}
