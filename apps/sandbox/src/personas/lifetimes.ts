import { refuse, type Refusal } from './reply.js';

/** How long a person may take, given what the client asks for; or why not so long. */
export type LifetimeRule = (requestedSeconds: number | null) => number | Refusal;

/** What is asked for counts, up to a limit. */
export const asRequested =
  (defaultSeconds: number, maximumSeconds = 600): LifetimeRule =>
  (requested) =>
    Math.min(requested ?? defaultSeconds, maximumSeconds);

/** What is asked for is taken, and nothing follows from it. */
export const alwaysTheSame =
  (seconds: number): LifetimeRule =>
  () =>
    seconds;

/** What is asked for can only shorten the time. */
export const onlyShorter =
  (seconds: number): LifetimeRule =>
  (requested) =>
    Math.min(requested ?? seconds, seconds);

/** Asking for more than there is, is an error. */
export const refusedBeyond =
  (defaultSeconds: number, maximumSeconds: number, description: string): LifetimeRule =>
  (requested) =>
    requested !== null && requested > maximumSeconds
      ? refuse('invalid_request', description)
      : (requested ?? defaultSeconds);
