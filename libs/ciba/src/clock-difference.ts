/** A moment that the other side told, and the moments between which it must have told it. */
export interface ClockSample {
  /** An HTTP date: whole seconds, cut off (RFC 9110 §5.6.7). */
  readonly date: string;
  readonly sentAt: Date;
  readonly receivedAt: Date;
}

/**
 * By how much the other clock is ahead of ours, at least: what the time of travel and the cut-off second may explain is
 * taken as no difference. Of several samples the one nearest to zero counts; null when none can be read.
 */
export function clockAheadMs(samples: readonly ClockSample[]): number | null {
  const readable = samples.map(aheadMs).filter((ahead) => ahead !== null);
  return readable.reduce<number | null>(
    (nearest, ahead) => (nearest === null || Math.abs(ahead) < Math.abs(nearest) ? ahead : nearest),
    null,
  );
}

function aheadMs({ date, sentAt, receivedAt }: ClockSample): number | null {
  const told = Date.parse(date);
  if (Number.isNaN(told)) return null;
  const least = told - receivedAt.getTime();
  const most = told + 1000 - sentAt.getTime();
  if (least > 0) return least;
  return most < 0 ? most : 0;
}
