import type { Invariant } from '../judgement.js';
import { acceptedIsStored } from './i01-accepted-is-stored.js';
import { everythingEnds } from './i02-everything-ends.js';
import { endsAreFinal } from './i03-ends-are-final.js';
import { approvedByEvidence } from './i04-approved-by-evidence.js';
import { deniedByThePerson } from './i05-denied-by-the-person.js';
import { expiredAfterTheDeadline } from './i06-expired-after-the-deadline.js';
import { evidenceIsUsedOnce } from './i07-evidence-is-used-once.js';
import { consumedAtMostOnce } from './i08-consumed-at-most-once.js';
import { consumedAsApproved } from './i09-consumed-as-approved.js';
import { cancelledStaysCancelled } from './i10-cancelled-stays-cancelled.js';
import { pollsKeepTheirDistance } from './i11-polls-keep-their-distance.js';
import { doubtHasACause } from './i12-doubt-has-a-cause.js';
import { usedUpGrantsCount } from './i13-used-up-grants-count.js';
import { askedOnce } from './i14-asked-once.js';
import { oneDecision } from './i15-one-decision.js';
import { everyDecisionArrives } from './i16-every-decision-arrives.js';
import { nothingElseArrives } from './i17-nothing-else-arrives.js';
import { deliveriesVerify } from './i18-deliveries-verify.js';
import { versionsGrow } from './i19-versions-grow.js';
import { outboxConserves } from './i20-outbox-conserves.js';
import { eventsCountOnce } from './i21-events-count-once.js';
import { keysBelongToClients } from './i22-keys-belong-to-clients.js';
import { clientsAreApart } from './i23-clients-are-apart.js';
import { theAuditLogIsWhole } from './i24-the-audit-log-is-whole.js';
import { noSecretShows } from './i25-no-secret-shows.js';
import { theBrokerIsDisposable } from './i26-the-broker-is-disposable.js';

/** I1 to I27, in order. */
export const invariants: readonly Invariant[] = [
  acceptedIsStored,
  everythingEnds,
  endsAreFinal,
  approvedByEvidence,
  deniedByThePerson,
  expiredAfterTheDeadline,
  evidenceIsUsedOnce,
  consumedAtMostOnce,
  consumedAsApproved,
  cancelledStaysCancelled,
  pollsKeepTheirDistance,
  doubtHasACause,
  usedUpGrantsCount,
  askedOnce,
  oneDecision,
  everyDecisionArrives,
  nothingElseArrives,
  deliveriesVerify,
  versionsGrow,
  outboxConserves,
  eventsCountOnce,
  keysBelongToClients,
  clientsAreApart,
  theAuditLogIsWhole,
  noSecretShows,
  theBrokerIsDisposable,
  {
    id: 'I27',
    claim: 'the service refuses to start on an unsafe database, broker or clock',
    elsewhere:
      'a history begins after the start; unsafe settings of Postgres: libs/persistence/src/database.int-spec.ts',
    judge: null,
  },
];
