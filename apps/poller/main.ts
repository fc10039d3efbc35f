import 'reflect-metadata';
import { createLog, parseConfig, untilSignal } from '#lib/runtime';
import { pollerConfig } from './src/poller.config.js';
import { startPoller } from './src/start-poller.js';

try {
  const starting = new AbortController();
  const stopped = untilSignal().finally(() => starting.abort());
  const config = parseConfig(pollerConfig, process.env);
  const log = createLog({ service: 'poller', level: config.LOG_LEVEL });
  const service = await startPoller(config, log, starting.signal);
  log.info('The poller runs', { url: service.url });
  await stopped;
  await service.stop();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
