import type { RejectionHandlerBody } from '#lib/contracts';
import { changesBetween } from '#lib/domain';
import type { RejectionHandlerRow } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { asJson, settled, type PlannedChange, type Planning } from './step.js';

/**
 * What makes a rejection handler what the configuration says.
 *
 * @throws ProblemError `predefined`
 */
export function planRejectionHandler(
  body: RejectionHandlerBody,
  row: RejectionHandlerRow | null,
  { database: { rejectionHandlers } }: Planning,
): PlannedChange {
  const { name, ...definition } = body;
  const changes = changesBetween(row && asJson(rejectionHandlerBodyOf(row)), asJson(body));
  if (row?.predefined === true && changes.length > 0) {
    throw new ProblemError('predefined', 'It is predefined. Make one of your own, under another name.');
  }
  return {
    changes,
    run: async ({ acting, names }) => {
      const value = { name, definition };
      const result = await (row === null
        ? rejectionHandlers.create(value, acting)
        : rejectionHandlers.update(row.id, row.version, value, acting));
      const { id } = settled(result, 'rejection handler');
      names.add('rejection-handler', name, id);
      return id;
    },
  };
}

/** As a configuration shows it. */
export const rejectionHandlerBodyOf = ({ name, definition }: RejectionHandlerRow) => ({
  name,
  ...definition,
});
