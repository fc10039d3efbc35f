import { bootstrapClientId } from '#lib/contracts';
import { expect, it } from '@jest/globals';
import { entryDetails } from './timeline-words.js';

it.each([
  [{ rule: 'Pay', version: 3 }, 'Pay · version 3'],
  [{ expiresInSeconds: 300, intervalSeconds: 2 }, '5 min to answer · polled every 2 s'],
  [{ acr: null, polls: 1 }, 'after 1 poll'],
  [{ by: 'person', polls: 2 }, 'by the person · after 2 polls'],
  [{ by: 'user:Ada' }, 'by Ada'],
  [{ by: bootstrapClientId }, 'by the bootstrap key'],
  [{ by: 'c1' }, 'by Shop'],
  [{ by: 'c2' }, 'by c2'],
  [{ asked: true, polls: 0 }, 'nobody answered'],
  [{ asked: true, saidBy: 'provider', polls: 3 }, 'nobody answered · as the provider said · after 3 polls'],
  [{ lateApproval: true, polls: 0 }, 'the approval came too late'],
  [{ asked: false }, 'the person was never asked'],
  [{ reason: 'unknown_user', error: 'unknown_user_id' }, 'the provider does not know the person · unknown_user_id'],
  [{ outcome: 'denied', decisionId: 'd1' }, ''],
  [{ constructor: 'x', somethingNew: { a: 1 } }, 'constructor: x · something new: {"a":1}'],
])('%j is told as "%s"', (detail, words) => {
  expect(entryDetails(detail, (id) => (id === 'c1' ? 'Shop' : undefined)).join(' · ')).toBe(words);
});
