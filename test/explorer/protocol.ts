import {
  afterStart,
  afterStartChange,
  afterUnknownStart,
  promptsBefore,
} from '../../apps/ciba-worker/src/after-start.js';
import { afterPoll, atDeadline } from '../../apps/poller/src/after-poll.js';
import { afterChange } from '../../apps/poller/src/conclude-authentication.js';
import { admissionOf, leavesDoubt, resolutionPollMs, turnOf } from '../../apps/poller/src/polling-turn.js';
import { compareLeases, mayHaveLostAnswer, sendUntilMs } from '../../apps/poller/src/shard-leases.js';
import { patienceEndsMs } from '../../apps/poller/src/verify-answer.js';
import { endOf, settlementOf } from '../../apps/rules-service/src/notifications/receive-notification.js';
import { decide } from '#lib/domain';
import { askedAgain } from '../../libs/persistence/src/requests/change-request.js';
import * as statements from './statements.js';
import * as glue from './glue.js';

/**
 * Everything that decides: the functions that production runs, and the models of its SQL, which a test holds against a
 * real database. A seeded bug replaces one of them, here and nowhere else.
 */
export const production = {
  decide,
  askedAgain,
  afterStart,
  afterStartChange,
  afterUnknownStart,
  promptsBefore,
  afterPoll,
  atDeadline,
  afterChange,
  admissionOf,
  leavesDoubt,
  resolutionPollMs,
  turnOf,
  compareLeases,
  mayHaveLostAnswer,
  sendUntilMs,
  patienceEndsMs,
  settlementOf,
  endOf,
  ...statements,
  ...glue,
};

export type Protocol = typeof production;
