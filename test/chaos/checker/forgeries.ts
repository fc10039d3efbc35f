/** One lie per entry, told in a history that is otherwise true, and what must find it out. */

import { createHash, randomUUID } from 'node:crypto';
import type { Cast } from './genuine-history.js';
import { auditEventsOf, sealAuditLog } from './paper-audit-log.js';
import { seconds, type HistoryBuilder, type LooseRow, type PaperRequest } from './history-builder.js';

export interface Forgery {
  readonly name: string;
  /** The invariant that must be flagged; others may be, too. */
  readonly flags: string;
  /** What it must say. */
  readonly says: RegExp;
  readonly forge: (book: HistoryBuilder, cast: Cast) => void;
}

const later = (row: LooseRow, column: string, byMs: number): void => {
  row[column] = new Date(Date.parse(row[column] as string) + byMs).toISOString();
};
const of = (book: HistoryBuilder, table: string, { row }: PaperRequest): LooseRow[] =>
  book.rows(table).filter(({ request_id }) => request_id === row['id']);
const drop = (book: HistoryBuilder, table: string, which: (row: LooseRow) => boolean): void => {
  book.paper.database[table] = book.rows(table).filter((row) => !which(row));
};
const ledger = (book: HistoryBuilder, { authReqId }: PaperRequest) =>
  book.paper.provider.filter((line) => line.authReqId === authReqId);
const said = (book: HistoryBuilder, request: PaperRequest, what: string) =>
  ledger(book, request).find((line) => line.said === what)!;
const webhooksOf = (book: HistoryBuilder, { row }: PaperRequest) =>
  book.paper.webhooks.filter(({ headers }) => headers['webhook-id'] === row['decision_id']);
const eventsOf = (book: HistoryBuilder, { row }: PaperRequest) =>
  book.paper.amqp.filter(({ body }) => body.includes(row['id'] as string));
const outboxOf = (book: HistoryBuilder, { row }: PaperRequest, key: string): LooseRow =>
  book
    .rows('outbox')
    .find((each) => each['routing_key'] === key && (each['event'] as LooseRow)['subject'] === row['id'])!;
const timelineOf = (book: HistoryBuilder, request: PaperRequest, type: string): LooseRow =>
  of(book, 'request_timeline', request).find((entry) => entry['type'] === type)!;
const answers = (book: HistoryBuilder, { row }: PaperRequest, op: string) =>
  book.paper.clients.filter((line) => line.op === op && line.kind === 'answered' && line.requestId === row['id']);
const sentBy = (book: HistoryBuilder, callId: string) =>
  book.paper.clients.find((line) => line.callId === callId && line.kind === 'sent')!;
/** A timeline entry out of nowhere, at the end. */
const addEntry = (book: HistoryBuilder, { row }: PaperRequest, type: string): void => {
  const at = new Date(book.nowMs).toISOString();
  book.rows('request_timeline').push({ position: '1000000', request_id: row['id'], at, type, detail: {} });
};
const sha256 = (text: string) => createHash('sha256').update(text).digest();
const noFaults = (book: HistoryBuilder): void => void (book.paper.faults = []);

export const forgeries: readonly Forgery[] = [
  // I1
  {
    name: 'an acknowledged request is not in the database',
    flags: 'I1',
    says: /no row is there/,
    forge: (book, { expired }) => drop(book, 'authorization_requests', ({ id }) => id === expired.row['id']),
  },
  {
    name: 'the answer came before the commit',
    flags: 'I1',
    says: /before the row was written/,
    forge: (_, { denied }) => later(denied.row, 'created_at', 500),
  },
  {
    name: 'an acknowledged request is stored under another key',
    flags: 'I1',
    says: /the row has the key other/,
    forge: (_, { denied }) => void (denied.row['idempotency_key'] = 'other'),
  },
  {
    name: 'an acknowledged request belongs to another client',
    flags: 'I1',
    says: /belongs to another API client/,
    forge: (book, { denied }) => void (denied.row['api_client_id'] = book.paper.run.apiClients[1]!.id),
  },
  // I2
  {
    name: 'a request is pending for ever',
    flags: 'I2',
    says: /still pending/,
    forge: (_, { expired }) => Object.assign(expired.row, { status: 'pending', ended_at: null, decision_id: null }),
  },
  {
    name: 'a request ended and was never decided',
    flags: 'I2',
    says: /has no decision/,
    forge: (_, { expired }) => void (expired.row['decision_id'] = null),
  },
  {
    name: 'a request ended two minutes after everything was healed',
    flags: 'I2',
    says: /s too late/,
    forge: (book, { unasked }) => void (unasked.row['ended_at'] = new Date(book.nowMs + 120 * seconds).toISOString()),
  },
  // I3
  {
    name: 'a request ended twice',
    flags: 'I3',
    says: /has 2 ends: denied,expired/,
    forge: (book, { denied }) => addEntry(book, denied, 'expired'),
  },
  {
    name: 'an approval came back to life as pending',
    flags: 'I3',
    says: /"initiated" follows the end/,
    forge: (book, { consumed }) => addEntry(book, consumed, 'initiated'),
  },
  {
    name: 'a row changed its end without an entry',
    flags: 'I3',
    says: /the row is failed, the timeline says expired/,
    forge: (_, { expired }) => Object.assign(expired.row, { status: 'failed', reason: 'provider_error' }),
  },
  {
    name: 'a client saw another end than the one on record',
    flags: 'I3',
    says: /a client saw expired, the row is approved/,
    forge: (book, { consumed }) => void ((answers(book, consumed, 'get')[1]!.answer as LooseRow)['status'] = 'expired'),
  },
  {
    name: 'a client saw pending after it had seen the end',
    flags: 'I3',
    says: /saw pending after the end/,
    forge: (book, { consumed }) => {
      book.get(consumed);
      (answers(book, consumed, 'get').at(-1)!.answer as LooseRow)['status'] = 'pending';
    },
  },
  {
    name: 'an approval was consumed twice on its timeline',
    flags: 'I3',
    says: /"consumed" stands 2 times/,
    forge: (book, { consumed }) => addEntry(book, consumed, 'consumed'),
  },
  // I4
  {
    name: 'approved, and the person never said yes',
    flags: 'I4',
    says: /the person had not said yes/,
    forge: (book, { consumed }) =>
      void (book.paper.provider = book.paper.provider.filter(
        (line) => !(line.kind === 'person' && line.authReqId === consumed.authReqId),
      )),
  },
  {
    name: 'approved, and the person said yes only afterwards',
    flags: 'I4',
    says: /the person had not said yes/,
    forge: (book, { consumed }) =>
      void (ledger(book, consumed).find(({ kind }) => kind === 'person')!.atMs += 60 * seconds),
  },
  {
    name: 'approved by an ID token that was never handed out',
    flags: 'I4',
    says: /did not hand out for it/,
    forge: (book, { consumed }) =>
      void (said(book, consumed, 'tokens').idTokenSha256 = sha256('another').toString('hex')),
  },
  {
    name: 'approved by tokens that the provider never sent off',
    flags: 'I4',
    says: /never left the provider/,
    forge: (book, { consumed }) => void (said(book, consumed, 'tokens').delivered = false),
  },
  {
    name: 'approved by the prompt of another request',
    flags: 'I4',
    says: /showed another binding message/,
    forge: (book, { consumed }) => void (ledger(book, consumed)[0]!.bindingMessage = 'pay somebody else'),
  },
  {
    name: 'approved by another person than the one named',
    flags: 'I4',
    says: /another person than the one that the client named/,
    forge: (book, { consumed }) => void (ledger(book, consumed)[0]!.loginHint = 'mallory@example.com'),
  },
  {
    name: 'approved without any acknowledged start',
    flags: 'I4',
    says: /never heard of its auth_req_id/,
    forge: (_, { consumed }) => void (consumed.row['auth_req_id_sha256'] = '00'.repeat(32)),
  },
  {
    name: 'approved after the deadline',
    flags: 'I4',
    says: /after the end or the deadline/,
    forge: (_, { consumed }) => later(consumed.row, 'expires_at', -118 * seconds),
  },
  {
    name: 'approved by the tokens of another issuer',
    flags: 'I4',
    says: /another issuer/,
    forge: (_, { consumed }) => void ((consumed.row['evidence'] as LooseRow)['issuer'] = 'https://elsewhere.example'),
  },
  // I5
  {
    name: 'a timeout was taken for a denial',
    flags: 'I5',
    says: /had not answered access_denied/,
    forge: (book, { denied }) =>
      void Object.assign(said(book, denied, 'access_denied'), { said: 'none', error: '504' }),
  },
  {
    name: 'denied, and the person said yes',
    flags: 'I5',
    says: /the person had not said no/,
    forge: (book, { denied }) => void (ledger(book, denied).find(({ kind }) => kind === 'person')!.person = 'approve'),
  },
  {
    name: 'denied by policy that was never spoken',
    flags: 'I5',
    says: /refused no start call so/,
    forge: (book, { refused }) =>
      void (book.paper.provider.find(({ bindingMessage }) => bindingMessage === refused.row['binding_message'])!.error =
        'invalid_request'),
  },
  // I6
  {
    name: 'expired before the deadline',
    flags: 'I6',
    says: /before its deadline/,
    forge: (_, { expired }) => later(expired.row, 'expires_at', 60 * seconds),
  },
  {
    name: 'expired while its start call was open',
    flags: 'I6',
    says: /while a start call was open/,
    forge: (book, { expired }) => void (of(book, 'start_attempts', expired)[0]!['closed_at'] = null),
  },
  {
    name: 'expired without a deadline although the person was asked',
    flags: 'I6',
    says: /expired without a deadline/,
    forge: (_, { expired }) => void (expired.row['expires_at'] = null),
  },
  // I7
  {
    name: 'one ID token approved two requests',
    flags: 'I7',
    says: /an ID token serves 2 requests/,
    forge: (_, { consumed, slowed }) => void (slowed.row['id_token_sha256'] = consumed.row['id_token_sha256']),
  },
  {
    name: 'one auth_req_id belongs to two requests',
    flags: 'I7',
    says: /an auth_req_id serves 2 requests/,
    forge: (_, { consumed, denied }) => void (denied.row['auth_req_id_sha256'] = consumed.row['auth_req_id_sha256']),
  },
  {
    name: 'two decisions rest on one piece of evidence',
    flags: 'I7',
    says: /2 decisions rest on/,
    forge: (book, { consumed, slowed }) => {
      const decision = of(book, 'decisions', slowed)[0]!;
      const document = JSON.parse(decision['document'] as string) as LooseRow;
      document['evidence'] = consumed.row['evidence'];
      decision['document'] = JSON.stringify(document);
    },
  },
  // I8
  {
    name: 'two callers consumed the same approval',
    flags: 'I8',
    says: /2 consumptions succeeded/,
    forge: (book, { consumed }) => void delete answers(book, consumed, 'consume')[1]!.replayed,
  },
  {
    name: 'a second key was answered like the first',
    flags: 'I8',
    says: /under more than one key/,
    forge: (book, { consumed }) => book.consume(consumed, 'use-9'),
  },
  {
    name: 'a consumption succeeded and left no trace',
    flags: 'I8',
    says: /the row knows nothing of it/,
    forge: (_, { consumed }) => void (consumed.row['consumed_at'] = null),
  },
  {
    name: 'a repetition was told another moment',
    flags: 'I8',
    says: /consumed at 2 moments/,
    forge: (book, { consumed }) =>
      void ((answers(book, consumed, 'consume')[1]!.answer as LooseRow)['consumedAt'] = '2026-01-05T12:00:00.000Z'),
  },
  {
    name: 'consumed by nobody',
    flags: 'I8',
    says: /nobody had asked for it/,
    forge: (book, { pinged }) =>
      void Object.assign(pinged.row, {
        consumed_at: new Date(book.nowMs).toISOString(),
        consumed_by: pinged.row['api_client_id'],
      }),
  },
  {
    name: 'refused as used, and never was',
    flags: 'I8',
    says: /refused as already consumed/,
    forge: (book, { pinged }) => book.refuse(pinged, 'consume', 409, 'already_consumed'),
  },
  // I9
  {
    name: 'consumed after the approval had lapsed',
    flags: 'I9',
    says: /after the approval had lapsed/,
    forge: (_, { consumed }) => later(consumed.row, 'consume_by', -300 * seconds),
  },
  {
    name: 'consumed by another client',
    flags: 'I9',
    says: /consumed by another API client/,
    forge: (book, { consumed }) => void (consumed.row['consumed_by'] = book.paper.run.apiClients[1]!.id),
  },
  {
    name: 'a stranger’s consumption succeeded',
    flags: 'I9',
    says: /another API client consumed it/,
    forge: (book, { consumed }) => {
      const { callId } = answers(book, consumed, 'consume')[0]!;
      for (const line of book.paper.clients) if (line.callId === callId) line.client = 'bank';
    },
  },
  {
    name: 'consumed for a larger amount than was approved',
    flags: 'I9',
    says: /other attributes than were approved/,
    forge: (book, { consumed }) => {
      const { callId } = answers(book, consumed, 'consume')[0]!;
      sentBy(book, callId).attributes = { ...consumed.attributes, amount: 1_000_000 };
    },
  },
  {
    name: 'a denied request was consumed',
    flags: 'I9',
    says: /the request is denied/,
    forge: (book, { denied }) => {
      const line = answers(book, denied, 'consume')[0]!;
      Object.assign(line, { status: 200, problemCode: undefined });
    },
  },
  {
    name: 'refused as lapsed in time',
    flags: 'I9',
    says: /lapsed before its time/,
    forge: (_, { askedAgain }) => later(askedAgain.row, 'consume_by', 3600 * seconds),
  },
  // I10
  {
    name: 'a cancel was acknowledged and the approval stood',
    flags: 'I10',
    says: /a cancel was acknowledged, and the request is approved/,
    forge: (book, { pinged }) => {
      const sent = { requestId: pinged.row['id'] as string };
      book.call('bank', 'cancel', sent, { status: 200, answer: book.document(pinged) });
    },
  },
  {
    name: 'the approval after the cancel is not on record',
    flags: 'I10',
    says: /is not on record/,
    forge: (_, { withdrawn }) => void (withdrawn.row['late_evidence'] = null),
  },
  {
    name: 'cancelled by nobody',
    flags: 'I10',
    says: /nobody had asked for it/,
    forge: (book, { unasked }) =>
      void (book.paper.clients = book.paper.clients.filter(
        (line) => !(line.op === 'cancel' && line.requestId === unasked.row['id']),
      )),
  },
  {
    name: 'a cancelled request keeps a token',
    flags: 'I10',
    says: /an approval of it lives on/,
    forge: (_, { withdrawn }) => void (withdrawn.row['released_token'] = '00ff'),
  },
  // I11
  {
    name: 'polled after two seconds with an interval of five',
    flags: 'I11',
    says: /polled after 2\d\d\d ms, with an interval of 5000 ms/,
    forge: (book, { expired }) => void (ledger(book, expired)[2]!.atMs -= 3 * seconds),
  },
  {
    name: 'a slow_down was not heeded',
    flags: 'I11',
    says: /with an interval of 15000 ms/,
    forge: (book, { slowed }) => {
      noFaults(book);
      ledger(book, slowed).filter(({ kind }) => kind === 'token')[2]!.atMs -= 8 * seconds;
    },
  },
  {
    name: 'polled again after access_denied',
    flags: 'I11',
    says: /polled again .* after the answer access_denied/,
    forge: (book, { denied }) => {
      const answer = said(book, denied, 'access_denied');
      book.paper.provider.push({ ...answer, atMs: answer.atMs + 6 * seconds, said: 'invalid_grant' });
    },
  },
  {
    name: 'polled on after tokens that had arrived',
    flags: 'I11',
    says: /after the answer tokens/,
    forge: (book, { keyless }) => {
      noFaults(book);
      const answer = said(book, keyless, 'tokens');
      book.paper.provider.push({ ...answer, atMs: answer.atMs + 5 * seconds, said: 'invalid_grant' });
    },
  },
  // I12
  {
    name: 'outcome_unknown on a fine day',
    flags: 'I12',
    says: /outcome_unknown, and no fault explains it/,
    forge: noFaults,
  },
  {
    name: 'outcome_unknown when only the sink was down',
    flags: 'I12',
    says: /outcome_unknown, and no fault explains it/,
    forge: (book) => {
      for (const fault of book.paper.faults)
        if (fault.target === 'poller-1') Object.assign(fault, { kind: 'sink-down', target: 'sink' });
    },
  },
  {
    name: 'outcome_unknown, and its poller was killed an hour before',
    flags: 'I12',
    says: /outcome_unknown, and no fault explains it/,
    forge: (book) => {
      for (const fault of book.paper.faults) {
        if (fault.target !== 'poller-1') continue;
        fault.fromMs -= 3600 * seconds;
        fault.untilMs -= 3600 * seconds;
      }
    },
  },
  {
    name: 'outcome_unknown, and after the 500 the provider said that nothing was decided',
    flags: 'I12',
    says: /outcome_unknown, and no fault explains it/,
    forge: (book, { unsaid }) => {
      noFaults(book);
      const answer = said(book, unsaid, 'none');
      book.paper.provider.push({ ...answer, atMs: answer.atMs + 1 * seconds, said: 'pending', error: undefined });
    },
  },
  {
    name: 'initiation_unknown although the answer was delivered',
    flags: 'I12',
    says: /initiation_unknown, and no fault explains it/,
    forge: (book, { unheard }) => {
      noFaults(book);
      const message = unheard.row['binding_message'];
      book.paper.provider.find(({ bindingMessage }) => bindingMessage === message)!.delivered = true;
    },
  },
  // I13
  {
    name: 'an approval was denied away',
    flags: 'I13',
    says: /said tokens, and the request is denied/,
    forge: (book, { consumed, denied }) =>
      void Object.assign(said(book, denied, 'access_denied'), {
        said: 'tokens',
        idTokenSha256: consumed.row['id_token_sha256'],
      }),
  },
  {
    name: 'an approval that came in time was called expired',
    flags: 'I13',
    says: /had said tokens in time/,
    forge: (book, { tooLate }) => void (said(book, tooLate, 'tokens').atMs -= 60 * seconds),
  },
  {
    name: 'a late approval left no trace',
    flags: 'I13',
    says: /the approval that the provider gave is not on record/,
    forge: (_, { tooLate }) => void (tooLate.row['late_evidence'] = null),
  },
  {
    name: 'a denial was approved away',
    flags: 'I13',
    says: /said access_denied, and the request is approved/,
    forge: (book, { consumed }) => void (said(book, consumed, 'tokens').said = 'access_denied'),
  },
  // I14
  {
    name: 'a person was asked twice under a rule that forbids it',
    flags: 'I14',
    says: /the person was asked 2 times/,
    forge: (book, { askedAgain, denied }) => void Object.assign(askedAgain.row, { rule_id: denied.row['rule_id'] }),
  },
  {
    name: 'a person was asked again although the answer had arrived',
    flags: 'I14',
    says: /asked again .* that had arrived/,
    forge: noFaults,
  },
  {
    name: 'a start call was not written down',
    flags: 'I14',
    says: /start calls reached the provider, 1 were written down/,
    forge: (book, { slowed }) => {
      const [first] = of(book, 'start_attempts', slowed);
      drop(book, 'start_attempts', ({ id }) => id === first!['id']);
    },
  },
  {
    name: 'a start call was written down only afterwards',
    flags: 'I14',
    says: /made before it was written down/,
    forge: (book, { denied }) => later(of(book, 'start_attempts', denied)[0]!, 'sent_at', 1_000),
  },
  {
    name: 'a person was asked about nothing',
    flags: 'I14',
    says: /asked about no request/,
    forge: (book) =>
      void book.paper.provider.push({
        kind: 'start',
        atMs: book.nowMs,
        said: 'acknowledged',
        bindingMessage: 'pay nobody',
      }),
  },
  // I15
  {
    name: 'a request was decided twice',
    flags: 'I15',
    says: /has 2 decisions/,
    forge: (book, { denied }) =>
      void book.rows('decisions').push({ ...of(book, 'decisions', denied)[0]!, id: randomUUID() }),
  },
  {
    name: 'a webhook was rewritten and signed anew',
    flags: 'I15',
    says: /a webhook carries another document/,
    forge: (book, { denied }) => {
      const line = webhooksOf(book, denied)[0]!;
      line.body = line.body.replace('"metadata":{"order":7}', '"metadata":{"order": 7}');
      book.sign(line, line.atMs, book.paper.run.webhookEndpoints[0]!.secrets, false);
    },
  },
  {
    name: 'an event carries another document',
    flags: 'I15',
    says: /an event carries another document/,
    forge: (book, { denied }) => {
      const event = eventsOf(book, denied)[0]!;
      event.body = event.body.replace('"order":7', '"order":8');
    },
  },
  {
    name: 'a client was shown another decision',
    flags: 'I15',
    says: /a get showed another decision/,
    forge: (book, { consumed }) => {
      const answer = answers(book, consumed, 'get')[1]!.answer as { decision: LooseRow };
      answer.decision = { ...answer.decision, metadata: {} };
    },
  },
  {
    name: 'the decision contradicts the row',
    flags: 'I15',
    says: /decided as approved, and the request is denied/,
    forge: (book, { denied }) => void (of(book, 'decisions', denied)[0]!['outcome'] = 'approved'),
  },
  // I16
  {
    name: 'a webhook was called delivered and never arrived',
    flags: 'I16',
    says: /nothing arrived there/,
    forge: (book, { denied }) => {
      const lost = webhooksOf(book, denied)[0]!;
      book.paper.webhooks = book.paper.webhooks.filter((line) => line !== lost);
    },
  },
  {
    name: 'a delivery was forgotten',
    flags: 'I16',
    says: /0 deliveries to the callback/,
    forge: (book, { unasked }) =>
      drop(book, 'deliveries', ({ request_id, kind }) => request_id === unasked.row['id'] && kind === 'callback'),
  },
  {
    name: 'a delivery is still pending',
    flags: 'I16',
    says: /is pending/,
    forge: (book, { expired }) => void (of(book, 'deliveries', expired)[0]!['state'] = 'pending'),
  },
  {
    name: 'a delivery was given up in silence',
    flags: 'I16',
    says: /given up without an alarm/,
    forge: (book) => void (book.paper.logs = { 'poller-1-1.log': 'nothing\n' }),
  },
  {
    name: 'a subscriber on AMQP missed a decision',
    flags: 'I16',
    says: /nothing arrived in the queue/,
    forge: (book, { denied }) => {
      const [missed] = eventsOf(book, denied);
      book.paper.amqp = book.paper.amqp.filter((line) => line !== missed);
    },
  },
  // I17
  {
    name: 'a decision arrived that does not exist',
    flags: 'I17',
    says: /that the database does not hold/,
    forge: (book, { denied }) => {
      const line = { ...webhooksOf(book, denied)[0]!, headers: { 'webhook-id': randomUUID() } };
      book.sign(line, line.atMs, book.paper.run.webhookEndpoints[0]!.secrets, false);
      book.paper.webhooks.push(line);
    },
  },
  {
    name: 'a webhook said approved about a denial',
    flags: 'I17',
    says: /decision.approved arrived, decided was denied/,
    forge: (book, { denied }) => {
      const line = webhooksOf(book, denied)[0]!;
      line.body = line.body.replace('decision.denied', 'decision.approved');
      book.sign(line, line.atMs, book.paper.run.webhookEndpoints[0]!.secrets, false);
    },
  },
  {
    name: 'a denial went to an endpoint that asked for approvals only',
    flags: 'I17',
    says: /is not due there/,
    forge: (book, { denied }) => {
      const line = { ...webhooksOf(book, denied)[0]!, endpointId: book.paper.run.webhookEndpoints[1]!.id };
      book.sign(line, line.atMs, book.paper.run.webhookEndpoints[1]!.secrets, false);
      book.paper.webhooks.push(line);
    },
  },
  {
    name: 'an event arrived under another routing key',
    flags: 'I17',
    says: /an event arrived as decision.expired/,
    forge: (book, { denied }) => void (eventsOf(book, denied)[0]!.routingKey = 'decision.expired'),
  },
  {
    name: 'a callback went elsewhere',
    flags: 'I17',
    says: /to another address/,
    forge: (book, { unasked }) =>
      void (webhooksOf(book, unasked).find(({ endpointId }) => endpointId === null)!.url = '/callback/other'),
  },
  // I18
  {
    name: 'a webhook was altered on its way',
    flags: 'I18',
    says: /no secret of its endpoint fits/,
    forge: (book, { denied }) => void (webhooksOf(book, denied)[0]!.body += ' '),
  },
  {
    name: 'a webhook was signed with the secret of another endpoint',
    flags: 'I18',
    says: /the secret of another endpoint/,
    forge: (book, { denied }) => {
      const line = webhooksOf(book, denied)[0]!;
      book.sign(line, line.atMs, book.paper.run.webhookEndpoints[1]!.secrets, false);
    },
  },
  {
    name: 'a webhook was replayed an hour later',
    flags: 'I18',
    says: /more than five minutes/,
    forge: (book, { denied }) => void (webhooksOf(book, denied)[0]!.atMs += 3600 * seconds),
  },
  {
    name: 'a callback was signed by an unpublished key',
    flags: 'I18',
    says: /that no published key has signed/,
    forge: (book) => void (book.paper.run.jwks = book.paper.run.jwks.filter(({ kid }) => kid !== 'callback-1')),
  },
  {
    name: 'a receipt is of another type',
    flags: 'I18',
    says: /a receipt of the type JWT/,
    forge: (book, { consumed }) => withReceipt(book, consumed, {}, 'JWT'),
  },
  {
    name: 'a receipt is about another request',
    flags: 'I18',
    says: /something else than its decision/,
    forge: (book, { consumed, denied }) => withReceipt(book, consumed, { authorization_request_id: denied.row['id'] }),
  },
  {
    name: 'a receipt has a forged signature',
    flags: 'I18',
    says: /does not verify/,
    forge: (book, { consumed }) => {
      const decision = of(book, 'decisions', consumed)[0]!;
      const document = JSON.parse(decision['document'] as string) as LooseRow;
      document['receipt'] = `${(document['receipt'] as string).split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`;
      decision['document'] = JSON.stringify(document);
    },
  },
  // I19
  {
    name: 'a change is missing on the timeline',
    flags: 'I19',
    says: /its timeline 3 changes/,
    forge: (book, { expired }) => {
      const entry = timelineOf(book, expired, 'initiated');
      drop(book, 'request_timeline', (row) => row === entry);
    },
  },
  {
    name: 'an event shows a version that never was',
    flags: 'I19',
    says: /an event shows version 99/,
    forge: (book, { expired }) => {
      const event = outboxOf(book, expired, 'authorization.expired')['event'] as { data: LooseRow };
      event.data['stateVersion'] = 99;
    },
  },
  {
    name: 'two events show the same version',
    flags: 'I19',
    says: /two events show version 1/,
    forge: (book, { expired }) => {
      const event = outboxOf(book, expired, 'authorization.initiated')['event'] as { data: LooseRow };
      event.data['stateVersion'] = 1;
    },
  },
  // I20
  {
    name: 'an event was never published',
    flags: 'I20',
    says: /was never published/,
    forge: (book, { expired }) => void (outboxOf(book, expired, 'decision.expired')['published_at'] = null),
  },
  {
    name: 'a change was written without its event',
    flags: 'I20',
    says: /the changes call for/,
    forge: (book, { expired }) => {
      const row = outboxOf(book, expired, 'authorization.expired');
      drop(book, 'outbox', ({ id }) => id === row['id']);
    },
  },
  {
    name: 'an event was written without its change',
    flags: 'I20',
    says: /the changes call for/,
    forge: (book, { expired }) => {
      const row = outboxOf(book, expired, 'authorization.expired');
      const id = randomUUID();
      book
        .rows('outbox')
        .push({ ...row, id, routing_key: 'authorization.approved', event: { ...(row['event'] as object), id } });
    },
  },
  // I21
  {
    name: 'an event had its effect twice',
    flags: 'I21',
    says: /on record 2 times/,
    forge: (book) => void book.rows('inbox').push({ ...book.rows('inbox')[0]! }),
  },
  {
    name: 'an effect rests on an event that was never written',
    flags: 'I21',
    says: /an event that was never written/,
    forge: (book) => void book.rows('inbox').push({ consumer: 'ciba-worker', event_id: randomUUID() }),
  },
  // I22
  {
    name: 'one key made two requests',
    flags: 'I22',
    says: /2 requests under one key/,
    forge: (_, { denied, expired }) => void (expired.row['idempotency_key'] = denied.row['idempotency_key']),
  },
  {
    name: 'a repetition was given another id',
    flags: 'I22',
    says: /answered with 2 ids/,
    forge: (book, { pinged, denied }) => {
      book.submitCall(pinged, false, { requestId: denied.row['id'] as string, answer: book.document(denied) });
    },
  },
  {
    name: 'another body was accepted under a used key',
    flags: 'I22',
    says: /another body was accepted/,
    forge: (book, { denied }) => {
      book.submitCall(denied);
      book.paper.clients.at(-2)!.bodyHash = 'another body';
    },
  },
  {
    name: 'a request that nobody submitted',
    flags: 'I22',
    says: /that nobody submitted/,
    forge: (book, { denied }) =>
      void (book.paper.clients = book.paper.clients.filter(({ idempotencyKey }) => idempotencyKey !== denied.key)),
  },
  // I23
  {
    name: 'a client read the request of another',
    flags: 'I23',
    says: /bank was answered about the request of another client/,
    forge: (book, { expired }) => {
      const sent = { requestId: expired.row['id'] as string };
      book.call('bank', 'get', sent, { status: 200, answer: book.document(expired) });
    },
  },
  // I24
  {
    name: 'an event was taken out of the audit log',
    flags: 'I24',
    says: /number 3 of the audit log is missing/,
    forge: (book) => void book.rows('audit_events').splice(2, 1),
  },
  {
    name: 'an event of the audit log tells something else than was sealed',
    flags: 'I24',
    says: /not what was sealed/,
    forge: (book) => void (book.rows('audit_events')[4]!['detail'] = { reason: 'none' }),
  },
  {
    name: 'two events of the audit log have changed places',
    flags: 'I24',
    says: /not what was sealed/,
    forge: (book) => {
      const [one, other] = book.rows('audit_events') as [LooseRow, LooseRow];
      [one['sequence'], other['sequence']] = [other['sequence'], one['sequence']];
    },
  },
  {
    name: 'an event of the audit log names another person',
    flags: 'I24',
    says: /names somebody else/,
    forge: (book) => void (book.rows('audit_events')[0]!['personal'] = { subject: 'mallory' }),
  },
  {
    name: 'an event of the audit log was never sealed',
    flags: 'I24',
    says: /never sealed/,
    forge: (book) => Object.assign(book.rows('audit_events').at(-1)!, { sequence: null, hash: null }),
  },
  {
    name: 'the audit log was written anew, by a key that was never published',
    flags: 'I24',
    says: /no published key/,
    forge: ({ paper }) => {
      const { jwks } = paper.run;
      sealAuditLog(paper, auditEventsOf(paper));
      paper.run.jwks = jwks;
    },
  },
  {
    name: 'a head of the audit log says something else than it signs',
    flags: 'I24',
    says: /no published key/,
    forge: (book) => later(book.rows('audit_heads')[1]!, 'sealed_at', 1_000),
  },
  {
    name: 'a head of the audit log is missing',
    flags: 'I24',
    says: /head 2: it is missing/,
    forge: (book) => void book.rows('audit_heads').splice(1, 1),
  },
  {
    name: 'the end of the audit log was cut off together with its heads',
    flags: 'I24',
    says: /in the audit log 0 times/,
    forge: ({ paper }) => sealAuditLog(paper, auditEventsOf(paper).slice(0, 5)),
  },
  {
    name: 'an end is in the audit log twice',
    flags: 'I24',
    says: /in the audit log 2 times/,
    forge: ({ paper }) => sealAuditLog(paper, [...auditEventsOf(paper), ...auditEventsOf(paper).slice(0, 1)]),
  },
  {
    name: 'the audit log tells of an end that never was',
    flags: 'I24',
    says: /tells of \d+ ends and uses/,
    forge: ({ paper }, { expired }) => {
      const at = expired.row['ended_at'];
      const made = { action: 'authorization-request.consumed', resourceId: expired.row['id'], at };
      sealAuditLog(paper, [...auditEventsOf(paper), made]);
    },
  },
  // I25
  ...(
    [
      ['raw', (text: string) => text],
      ['base64', (text: string) => Buffer.from(`x${text}y`).toString('base64')],
      ['hex', (text: string) => Buffer.from(text).toString('hex')],
      ['url', (text: string) => encodeURIComponent(text)],
    ] as const
  ).map(([encoding, spell]) => ({
    name: `a login hint stands in a log, as ${encoding}`,
    flags: 'I25',
    says: new RegExp(`shows loginHint \\(${encoding}\\)`),
    forge: (book: HistoryBuilder) =>
      void (book.paper.logs['poller-1-1.log'] +=
        `{"message":"asking","x":"${spell('canary-hint-51c2@example.com')}"}\n`),
  })),
  {
    name: 'a client secret stands in a plain column',
    flags: 'I25',
    says: /shows clientSecret/,
    forge: (_, { expired }) => void (expired.row['callback_url'] = 'http://127.0.0.1:9/?s=canary-client-secret-7f3a'),
  },
  {
    name: 'a client secret came back in an answer',
    flags: 'I25',
    says: /answers: shows clientSecret/,
    forge: (book, { consumed }) =>
      void ((answers(book, consumed, 'get')[0]!.answer as LooseRow)['hint'] = 'canary-client-secret-7f3a'),
  },
  // I26
  {
    name: 'a request that was under way at the wipe never ended',
    flags: 'I26',
    says: /under way at fault-\d+, and now pending/,
    forge: (_, { wiped }) => Object.assign(wiped.row, { status: 'pending', ended_at: null, decision_id: null }),
  },
];

function withReceipt(book: HistoryBuilder, { row }: PaperRequest, claims: LooseRow, typ?: string): void {
  const decision = book.rows('decisions').find(({ request_id }) => request_id === row['id'])!;
  const document = JSON.parse(decision['document'] as string) as LooseRow;
  document['receipt'] = book.receipt(row, decision['id'] as string, claims, typ);
  decision['document'] = JSON.stringify(document);
}
