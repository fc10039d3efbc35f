import { Text, Tooltip } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { absoluteTime, relativeTime } from './relative-time.js';

// One clock for all of them: a page with a hundred times has one timer.
const everyMs = 10_000;
const watchers = new Set<() => void>();
let now = new Date();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(changed: () => void): () => void {
  if (watchers.size === 0) now = new Date();
  watchers.add(changed);
  timer ??= setInterval(() => {
    now = new Date();
    for (const watcher of watchers) watcher();
  }, everyMs);
  return () => {
    watchers.delete(changed);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, to ten seconds; whoever uses it is shown anew as it passes. */
export const useNow = (): Date => useSyncExternalStore(watch, () => now);

export interface MomentProps {
  /** An instant of the API; null: it has not come. */
  readonly at: string | null;
  /** Shows the absolute time as well, where there is room for it. */
  readonly full?: boolean;
  /** For null. Default: `never`. */
  readonly none?: string;
}

/** When something was or will be: how long from now, and on demand exactly. */
export function Moment({ at, full = false, none = 'never' }: MomentProps) {
  const current = useNow();
  if (at === null) return <>{none}</>;
  const instant = new Date(at);
  // Whoever has just caused something is not told that it lies in the future.
  const from = Math.abs(instant.getTime() - Date.now()) < everyMs ? new Date() : current;
  const relative = relativeTime(instant, from);
  const absolute = absoluteTime(instant);
  if (full) {
    return (
      <time dateTime={at}>
        {relative}{' '}
        <Text span inherit c="dimmed">
          · <span style={{ whiteSpace: 'nowrap' }}>{absolute}</span>
        </Text>
      </time>
    );
  }
  return (
    <Tooltip label={absolute}>
      <time dateTime={at} title={absolute}>
        {relative}
      </time>
    </Tooltip>
  );
}
