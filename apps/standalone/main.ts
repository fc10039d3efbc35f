import 'reflect-metadata';
import { createLog, parseConfig, untilSignal } from '#lib/runtime';
import { startStandalone } from './src/standalone.js';
import { standaloneConfig } from './src/standalone.config.js';
import { welcome } from './src/welcome.js';

const starting = new AbortController();
try {
  const stopped = untilSignal().finally(() => starting.abort());
  const config = parseConfig(standaloneConfig, process.env);
  const log = createLog({ service: 'assent', level: config.LOG_LEVEL });
  const standalone = await startStandalone(config, log, starting.signal);
  process.stdout.write(welcome(standalone));
  await stopped;
  process.stdout.write('\n  Stopping …\n');
  await standalone.stop();
  process.exit(0);
} catch (error) {
  // Whoever ends it while it still waits for something has had their wish.
  if (starting.signal.aborted) process.exit(0);
  process.stderr.write(`\n  ${error instanceof Error ? error.message : String(error)}\n\n`);
  process.exit(1);
}
