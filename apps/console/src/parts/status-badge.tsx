import { Badge } from '@mantine/core';
import classes from './status-badge.module.css';

/** How something stands: colours say it a second time, never alone. */
export type Tone = 'good' | 'waiting' | 'warning' | 'bad' | 'quiet';

export interface StatusBadgeProps {
  readonly tone: Tone;
  readonly children: string;
}

/** A state in one or two words. */
export function StatusBadge({ tone, children }: StatusBadgeProps) {
  return (
    <Badge className={classes.badge} data-tone={tone} leftSection={<span className={classes.dot} />}>
      {children}
    </Badge>
  );
}
