import { requestIdOf, succeeded } from '../calls.js';
import { Findings, type Invariant } from '../judgement.js';

/** I23. No API client is answered about the request of another one, unless it administers. */
export const clientsAreApart: Invariant = {
  id: 'I23',
  claim: 'no API client sees or changes what is another’s',
  elsewhere: 'the whole API with swapped credentials: apps/rules-service/src/access',
  judge: (history) => {
    const findings = new Findings();
    const admins = new Set(history.run.apiClients.filter(({ admin }) => admin).map(({ name }) => name));
    for (const call of history.calls) {
      const row = history.requests.get(requestIdOf(call) ?? '');
      if (row === undefined || call.answered === null || admins.has(call.sent.client)) continue;
      if (history.clientId(call.sent.client) === row.apiClientId) continue;
      findings.expect(!succeeded(call), row.id, `${call.sent.client} was answered about the request of another client`);
    }
    return findings;
  },
};
