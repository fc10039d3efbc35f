import type { ReactNode } from 'react';
import classes from './plot.module.css';
import { heightOf, middleOf, plot, timeMarks } from './plot-scale.js';

export interface PlotFrameProps {
  /** What the plot shows, in a sentence: for those who cannot see it, and for everybody who wants the numbers. */
  readonly summary: string;
  readonly end: number;
  readonly label: (value: number) => string;
  readonly instants: readonly string[];
  readonly window: string;
  readonly children: ReactNode;
}

/** Axes, and what is drawn between them. */
export function PlotFrame({ summary, end, label, instants, window, children }: PlotFrameProps) {
  const ground = plot.height - plot.bottom;
  return (
    <div className={classes.frame}>
      <svg className={classes.plot} viewBox={`0 0 ${plot.width} ${plot.height}`} role="img" aria-label={summary}>
        {[0, end / 2, end].map((value) => {
          const y = ground - heightOf(value, end);
          return (
            <g key={value}>
              <line className={classes.grid} x1={plot.left} x2={plot.width} y1={y} y2={y} />
              <text x={plot.left - 6} y={y + 4} textAnchor="end">
                {label(value)}
              </text>
            </g>
          );
        })}
        {children}
        {timeMarks(instants, window).map(([index, text]) => (
          <text
            key={index}
            x={index === 0 ? plot.left : middleOf(index, instants.length)}
            y={plot.height - 5}
            textAnchor={index === 0 ? 'start' : 'middle'}
          >
            {text}
          </text>
        ))}
      </svg>
    </div>
  );
}
