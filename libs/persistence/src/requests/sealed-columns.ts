import type { SealPlace } from '../sealing.js';

/** Where the secrets of a request are sealed: the row's id binds each to its request. */
export const requestPlace = (
  column: 'attributes' | 'login_hint' | 'user_code' | 'auth_req_id' | 'released_token',
  id: string,
): SealPlace => ({ table: 'authorization_requests', column, id });

export const heldAnswerPlace = (requestId: string): SealPlace => ({
  table: 'held_answers',
  column: 'answer',
  id: requestId,
});
