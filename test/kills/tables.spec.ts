import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { deliveryTable, pollerTable, workerTable } from './tables.js';

it.each([
  ['poller', pollerTable],
  ['worker', workerTable],
  ['decision service', deliveryTable],
])('docs/proofs.md shows the ends of the %s as they are held', async (_service, table) => {
  expect(await readFile('docs/proofs.md', 'utf8')).toContain(table());
});
