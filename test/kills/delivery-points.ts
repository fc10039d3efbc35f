import type { Side } from './postgres-barrier.js';

/** Where a decision service is killed: with a decision, its delivery, or the event that tells subscribers of it. */
export type DeliveryPoint =
  | 'decision, before its commit'
  | 'decision, after its commit'
  | 'delivery, claimed and not sent'
  | 'delivery, sent and not answered'
  | 'delivery, answered and not recorded'
  | 'delivery, recorded'
  | 'event, claimed and not published'
  | 'event, published and not confirmed'
  | 'event of the sweep, confirmed and not marked'
  | 'event of the sweep, marked and not committed'
  | 'event of the moment, confirmed and not marked'
  | 'event of the moment, marked';

/** How a point is brought about. */
export interface Means {
  /** What there is of it when the service comes to it: a request that has ended, or its decision, delivery and event. */
  readonly made: 'ended' | 'decided';
  /** Made while the service runs, when it is known to reach the broker; else before it starts. */
  readonly late?: true;
  readonly stop:
    | 'receiver'
    | 'broker'
    | { readonly statement: string; readonly side: Side; readonly about: 'request' | 'delivery' | 'event' | 'any' };
  /** How often the callback arrives, and the event, at least; one that is exact says so. */
  readonly arrives: {
    readonly deliveries: number;
    readonly events: number;
    readonly exactly?: 'deliveries' | 'events';
  };
}

const once = { deliveries: 1, events: 1 } as const;
const claimOfSweep = 'select id, exchange, routing_key, event from outbox';

export const deliveryPoints: Readonly<Record<DeliveryPoint, Means>> = {
  'decision, before its commit': {
    made: 'ended',
    stop: { statement: 'assent_record_decisions', side: 'before', about: 'request' },
    arrives: once,
  },
  'decision, after its commit': {
    made: 'ended',
    stop: { statement: 'assent_record_decisions', side: 'after', about: 'request' },
    arrives: once,
  },
  'delivery, claimed and not sent': {
    made: 'decided',
    stop: { statement: 'assent_claim_deliveries', side: 'after', about: 'any' },
    arrives: once,
  },
  'delivery, sent and not answered': { made: 'decided', stop: 'receiver', arrives: { deliveries: 2, events: 1 } },
  'delivery, answered and not recorded': {
    made: 'decided',
    stop: { statement: 'assent_finish_deliveries', side: 'before', about: 'delivery' },
    arrives: { deliveries: 2, events: 1 },
  },
  'delivery, recorded': {
    made: 'decided',
    stop: { statement: 'assent_finish_deliveries', side: 'after', about: 'delivery' },
    arrives: { ...once, exactly: 'deliveries' },
  },
  'event, claimed and not published': {
    made: 'decided',
    stop: { statement: claimOfSweep, side: 'after', about: 'any' },
    arrives: once,
  },
  'event, published and not confirmed': { made: 'decided', stop: 'broker', arrives: { deliveries: 1, events: 2 } },
  'event of the sweep, confirmed and not marked': {
    made: 'decided',
    stop: { statement: '', side: 'before', about: 'event' },
    arrives: { deliveries: 1, events: 2 },
  },
  'event of the sweep, marked and not committed': {
    made: 'decided',
    stop: { statement: '', side: 'after', about: 'event' },
    arrives: { deliveries: 1, events: 2 },
  },
  'event of the moment, confirmed and not marked': {
    made: 'ended',
    late: true,
    stop: { statement: 'assent_settle_outbox', side: 'before', about: 'any' },
    arrives: { deliveries: 1, events: 2 },
  },
  'event of the moment, marked': {
    made: 'ended',
    late: true,
    stop: { statement: 'assent_settle_outbox', side: 'after', about: 'any' },
    arrives: { ...once, exactly: 'events' },
  },
};

/** Points that keep out of each other's way: one kill serves two. One list is the life of a house. */
export const lives: readonly (readonly (readonly DeliveryPoint[])[])[] = [
  [
    ['decision, before its commit', 'event, claimed and not published'],
    ['decision, after its commit', 'event of the sweep, confirmed and not marked'],
    ['delivery, sent and not answered', 'event of the moment, confirmed and not marked'],
  ],
  [
    ['delivery, claimed and not sent', 'event of the sweep, marked and not committed'],
    ['delivery, answered and not recorded', 'event of the moment, marked'],
    ['delivery, recorded', 'event, published and not confirmed'],
  ],
];
