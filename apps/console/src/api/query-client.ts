import { QueryCache, MutationCache, QueryClient } from '@tanstack/react-query';
import { ApiProblem, isSessionLost } from './client.js';

/** What the session is kept under. */
export const sessionKey = ['session'] as const;

// Whoever is refused for want of a session, or with the proof of an earlier one: the shell looks who it is.
const lookAgain = (error: unknown): void => {
  const isOutdated = error instanceof ApiProblem && error.code === 'csrf_token_missing';
  if (isSessionLost(error) || isOutdated) void queryClient.invalidateQueries({ queryKey: sessionKey });
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
