import { Moment } from '../../parts/moment.js';
import classes from './timeline.module.css';
import type { TimelineStep } from './timeline-steps.js';
import { lengthOfTime } from './words.js';

/** A timeline, oldest first. What comes in is read out to those who cannot see it come. */
export function TimelineList({ steps }: { readonly steps: readonly TimelineStep[] }) {
  return (
    <ol className={classes.timeline} aria-label="Timeline" aria-live="polite" aria-relevant="additions">
      {steps.map(({ key, title, at, afterMs, tone, details }) => (
        <li key={key} className={classes.step} data-tone={tone}>
          <span className={classes.dot} aria-hidden />
          <div className={classes.line}>
            <span className={classes.title}>{title}</span>
            <span className={classes.after}>
              {afterMs !== null && afterMs > 0 && <>after {lengthOfTime(afterMs)} · </>}
              {at === null ? 'now' : <Moment at={at} />}
            </span>
          </div>
          {details.length > 0 && <p className={classes.detail}>{details.join(' · ')}</p>}
        </li>
      ))}
    </ol>
  );
}
