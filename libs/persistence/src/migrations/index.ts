import { Initial1760000000000 } from './1760000000000-initial.js';

/** Every migration in the order in which they run; nothing is found by a glob. */
export const migrations = [Initial1760000000000];
