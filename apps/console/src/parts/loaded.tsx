import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiProblem, isSessionLost } from '../api/client.js';
import { NotFound } from './not-found.js';
import { PageSkeleton } from './page-skeleton.js';
import { ProblemAlert } from './problem-alert.js';

export interface LoadedProps<Data> {
  readonly query: Pick<UseQueryResult<Data>, 'data' | 'error' | 'refetch'>;
  /** Until it is there. Default: the shape of a page. */
  readonly skeleton?: ReactNode;
  readonly children: (data: Data) => ReactNode;
}

/** Shows what was asked for: its shape before it comes, why it does not come, and never less than there was already. */
export function Loaded<Data>({
  query: { data, error, refetch },
  skeleton = <PageSkeleton />,
  children,
}: LoadedProps<Data>) {
  if (data === undefined && error instanceof ApiProblem && error.status === 404) {
    return <NotFound detail={error.problem.detail} />;
  }
  // Whoever has to log in again is told so in one place.
  const told = error !== null && !isSessionLost(error);
  return (
    <>
      {told && <ProblemAlert error={error} onRetry={() => void refetch()} mb="md" />}
      {data === undefined ? !told && skeleton : children(data)}
    </>
  );
}
