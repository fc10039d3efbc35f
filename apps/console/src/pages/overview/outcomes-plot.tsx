import type { Overview } from '#lib/contracts';
import type { Outcome } from '#lib/domain';
import classes from './plot.module.css';
import { PlotFrame } from './plot-frame.js';
import { axisEnd, heightOf, middleOf, plot } from './plot-scale.js';

// What is common lies at the bottom.
const order = ['approved', 'denied', 'expired', 'failed', 'cancelled'] as const satisfies readonly Outcome[];

/** How requests ended, by when they were made: one bar for each part of the time. */
export function OutcomesPlot({ overview: { buckets, outcomes: all, window } }: { readonly overview: Overview }) {
  const totals = buckets.map(({ outcomes }) => order.reduce((sum, outcome) => sum + outcomes[outcome], 0));
  const end = axisEnd(Math.max(...totals));
  const ground = plot.height - plot.bottom;
  const width = ((plot.width - plot.left) / buckets.length) * 0.72;
  const summary = `Outcomes: ${order.map((outcome) => `${all[outcome]} ${outcome}`).join(', ')}.`;
  return (
    <>
      <PlotFrame
        summary={summary}
        end={end}
        label={(value) => (Number.isInteger(value) ? String(value) : '')}
        instants={buckets.map(({ from }) => from)}
        window={window}
      >
        {buckets.map(({ from, outcomes }, index) => {
          let y = ground;
          return order.map((outcome) => {
            const height = heightOf(outcomes[outcome], end);
            y -= height;
            if (height === 0) return null;
            const x = middleOf(index, buckets.length) - width / 2;
            return <rect key={`${from} ${outcome}`} data-outcome={outcome} {...{ x, y, width, height }} />;
          });
        })}
      </PlotFrame>
      <ul className={classes.legend} aria-label="Outcomes in the window">
        {order.map((outcome) => (
          <li key={outcome}>
            <svg viewBox="0 0 10 10" aria-hidden>
              <rect width="10" height="10" rx="2" data-outcome={outcome} />
            </svg>
            {all[outcome]} {outcome}
          </li>
        ))}
      </ul>
    </>
  );
}
