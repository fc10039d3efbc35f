import type { EventBus } from '#lib/messaging';
import type { HealthCheck } from '#lib/runtime';

/** The broker may be away: events wait in the outbox. A queue that is another than ours is a fault that stays. */
export const brokerChecks = (bus: Pick<EventBus, 'status'>): HealthCheck[] => [
  {
    name: 'broker',
    importance: 'degraded',
    check: async () => {
      const { state, problem, mismatch } = bus.status();
      if (mismatch === true || (state === 'connected' && problem === null)) return null;
      const reason = `${problem ?? 'not connected'}; events wait in the database`;
      return {
        reason,
        whatToDo: 'See that RabbitMQ runs and has room; nothing is lost, and what waits goes out then.',
      };
    },
  },
  {
    name: 'queues',
    check: async () => {
      const { problem, mismatch } = bus.status();
      if (mismatch !== true || problem === null) return null;
      const whatToDo =
        'Another version or another program declared it. Let its consumers drain it, then delete it; it is declared again by itself.';
      return { reason: problem, whatToDo };
    },
  },
];
