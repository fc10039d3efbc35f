import { useEffect, useRef } from 'react';
import { useBlocker } from 'react-router';
import { Confirm } from './confirm.js';

/** Asks before what was typed is left behind, by a link or by closing the window. `release` lets the next step pass. */
export function useLeaveGuard(dirty: boolean) {
  const released = useRef(false);
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      dirty && !released.current && currentLocation.pathname !== nextLocation.pathname,
  );
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [dirty]);
  return {
    release: () => {
      released.current = true;
    },
    guard: (
      <Confirm
        opened={blocker.state === 'blocked'}
        onClose={() => blocker.reset?.()}
        title="Leave without saving?"
        action="Leave without saving"
        onConfirm={() => blocker.proceed?.()}
      >
        What you have typed here will be gone.
      </Confirm>
    ),
  };
}
