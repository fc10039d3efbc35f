import { Text } from '@mantine/core';
import type { Overview } from '#lib/contracts';
import { lengthOfTime } from '../transactions/words.js';
import classes from './plot.module.css';
import { PlotFrame } from './plot-frame.js';
import { heightOf, middleOf, plot, timeAxisEnd } from './plot-scale.js';

/** How long people took to approve: half of them, and nearly all of them. */
export function ApprovalTimePlot({ overview: { buckets, approvalTime, window } }: { readonly overview: Overview }) {
  const { p50Ms, p95Ms } = approvalTime;
  if (p50Ms === null || p95Ms === null) {
    return (
      <Text fz="sm" c="dimmed">
        Nothing was approved in this time.
      </Text>
    );
  }
  const seconds = buckets.map(({ approvalTime: time }) => ({
    half: time.p50Ms === null ? null : time.p50Ms / 1000,
    most: time.p95Ms === null ? null : time.p95Ms / 1000,
  }));
  const end = timeAxisEnd(Math.max(...seconds.map(({ most }) => most ?? 0)));
  const at = (value: number): number => plot.height - plot.bottom - heightOf(value, end);
  const points = (kind: 'half' | 'most') =>
    seconds.flatMap((one, index) => {
      const value = one[kind];
      return value === null ? [] : [{ x: middleOf(index, buckets.length), y: at(value) }];
    });
  const lines = [
    ['half', points('half'), classes.half, classes.dotHalf],
    ['most', points('most'), classes.most, classes.dotMost],
  ] as const;
  return (
    <>
      <PlotFrame
        summary={`Time to approval: half within ${lengthOfTime(p50Ms)}, 95 % within ${lengthOfTime(p95Ms)}.`}
        end={end}
        label={(value) => (value === 0 ? '0' : lengthOfTime(value * 1000))}
        instants={buckets.map(({ from }) => from)}
        window={window}
      >
        {lines.map(([kind, line, className, dot]) => (
          <g key={kind}>
            <polyline className={className} points={line.map(({ x, y }) => `${x},${y}`).join(' ')} />
            {line.map(({ x, y }) => (
              <circle key={x} className={dot} cx={x} cy={y} r={2.5} />
            ))}
          </g>
        ))}
      </PlotFrame>
      <ul className={classes.legend} aria-label="Time to approval in the window">
        <li>
          <svg viewBox="0 0 10 10" aria-hidden>
            <circle className={classes.dotHalf} cx="5" cy="5" r="4" />
          </svg>
          half within {lengthOfTime(p50Ms)}
        </li>
        <li>
          <svg viewBox="0 0 10 10" aria-hidden>
            <circle className={classes.dotMost} cx="5" cy="5" r="4" />
          </svg>
          95 % within {lengthOfTime(p95Ms)}
        </li>
      </ul>
    </>
  );
}
