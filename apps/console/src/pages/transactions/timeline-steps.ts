import type { AuthorizationRequestDocument, Delivery, Timeline } from '#lib/contracts';
import type { Tone } from '../../parts/status-badge.js';
import { entryDetails, type NameOf } from './timeline-words.js';
import { entryTitle, lengthOfTime } from './words.js';

/** One thing that has happened, or that is waited for. */
export interface TimelineStep {
  readonly key: string;
  readonly title: string;
  /** Null: now. */
  readonly at: string | null;
  /** Since the step before, in ms; null for the first one and for what has not come. */
  readonly afterMs: number | null;
  readonly tone: Tone;
  readonly details: readonly string[];
}

/** A step that has come. */
type Occurrence = Omit<TimelineStep, 'at' | 'afterMs'> & { readonly at: string };

const tones: Readonly<Record<string, Tone>> = {
  approved: 'good',
  consumed: 'good',
  denied: 'bad',
  failed: 'bad',
  expired: 'warning',
  cancelled: 'quiet',
};

/** Everything that happened to a request and to its decision, in order, and what is waited for at the end. */
export function timelineSteps(
  timeline: Timeline['data'],
  deliveries: readonly Delivery[],
  status: AuthorizationRequestDocument['status'],
  nameOf: NameOf,
): TimelineStep[] {
  const entries = timeline.map(({ at, type, detail }, index): Occurrence => ({
    key: `${index} ${type}`,
    title: entryTitle(type),
    at,
    tone: tones[type] ?? 'quiet',
    details: entryDetails(detail, nameOf),
  }));
  const sent = deliveries.flatMap(({ id, url, attempts }) =>
    attempts.map(({ at, status: answer, problem, durationMs }, index): Occurrence => ({
      key: `${id} ${index}`,
      title: problem === null ? 'Delivered' : 'Delivery failed',
      at,
      tone: problem === null ? 'good' : 'warning',
      details: [
        `to ${url}`,
        answer === null ? (problem ?? 'no answer') : `HTTP ${answer} in ${lengthOfTime(durationMs)}`,
      ],
    })),
  );
  const steps = [...entries, ...sent].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  const done: TimelineStep[] = steps.map((step, index) => ({
    ...step,
    afterMs: index === 0 ? null : Date.parse(step.at) - Date.parse(steps[index - 1]!.at),
  }));
  return [...done, ...waitedFor(deliveries, status)];
}

function waitedFor(deliveries: readonly Delivery[], status: AuthorizationRequestDocument['status']): TimelineStep[] {
  const waiting = (key: string, title: string): TimelineStep => ({
    key,
    title,
    details: [],
    at: null,
    afterMs: null,
    tone: 'waiting',
  });
  if (status === 'requested') return [waiting('start', 'The provider is being asked')];
  if (status === 'pending') return [waiting('person', 'Waiting for the person')];
  return deliveries
    .filter(({ state }) => state === 'pending')
    .map(({ id, url, nextAttemptAt: at }) => ({
      ...waiting(`waiting ${id}`, 'Delivery waits'),
      at,
      details: [`to ${url}`],
    }));
}
