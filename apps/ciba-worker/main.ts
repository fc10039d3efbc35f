import 'reflect-metadata';
import { createLog, parseConfig, untilSignal } from '#lib/runtime';
import { cibaWorkerConfig } from './src/ciba-worker.config.js';
import { startCibaWorker } from './src/start-ciba-worker.js';

try {
  const starting = new AbortController();
  const stopped = untilSignal().finally(() => starting.abort());
  const config = parseConfig(cibaWorkerConfig, process.env);
  const log = createLog({ service: 'ciba-worker', level: config.LOG_LEVEL });
  const service = await startCibaWorker(config, log, starting.signal);
  log.info('The CIBA worker runs', { url: service.url });
  await stopped;
  await service.stop();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
