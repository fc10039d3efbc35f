import { QueryCache, MutationCache, QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './client.js';

/** What the session is kept under. */
export const sessionKey = ['session'] as const;

// Whoever is refused for want of a session is asked who they are: the shell looks again.
const lookAgain = (error: unknown): void => {
  if (error instanceof ApiProblem && error.status === 401) void queryClient.invalidateQueries({ queryKey: sessionKey });
};

const passes = (error: unknown): boolean => error instanceof ApiProblem && [0, 503].includes(error.status);

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== sessionKey[0]) lookAgain(error);
    },
  }),
  mutationCache: new MutationCache({ onError: lookAgain }),
  defaultOptions: {
    queries: { staleTime: 5_000, retry: (count, error) => count < 2 && passes(error) },
    // A change that may have had its effect is not made twice behind somebody's back.
    mutations: { retry: false },
  },
});
