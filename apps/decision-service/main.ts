import 'reflect-metadata';
import { createLog, parseConfig, untilSignal } from '#lib/runtime';
import { decisionServiceConfig } from './src/decision-service.config.js';
import { startDecisionService } from './src/start-decision-service.js';

try {
  const starting = new AbortController();
  const stopped = untilSignal().finally(() => starting.abort());
  const config = parseConfig(decisionServiceConfig, process.env);
  const log = createLog({ service: 'decision-service', level: config.LOG_LEVEL });
  const service = await startDecisionService(config, log, starting.signal);
  log.info('The decision service runs', { url: service.url });
  await stopped;
  await service.stop();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
