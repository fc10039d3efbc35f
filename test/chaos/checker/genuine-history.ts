import { HistoryBuilder, seconds, type PaperRequest } from './history-builder.js';
import { auditEventsOf, sealAuditLog } from './paper-audit-log.js';
import { sometimesInFull } from './sometimes.js';

/** The requests of the genuine history, by what happened to them. */
export interface Cast {
  readonly consumed: PaperRequest;
  readonly pinged: PaperRequest;
  readonly denied: PaperRequest;
  readonly refused: PaperRequest;
  readonly expired: PaperRequest;
  readonly tooLate: PaperRequest;
  readonly withdrawn: PaperRequest;
  readonly unasked: PaperRequest;
  readonly doubtful: PaperRequest;
  readonly unsaid: PaperRequest;
  readonly unheard: PaperRequest;
  readonly askedAgain: PaperRequest;
  readonly slowed: PaperRequest;
  readonly wiped: PaperRequest;
  readonly keyless: PaperRequest;
}

/** A small run with everything in it that can happen, and nothing that must not. */
export function genuineHistory(): { readonly book: HistoryBuilder; readonly cast: Cast } {
  const book = new HistoryBuilder();
  const cast = play(book);
  otherFaults(book);
  close(book);
  return { book, cast };
}

function play(book: HistoryBuilder): Cast {
  return {
    consumed: consumedByOneOfMany(book),
    pinged: pingedTwice(book),
    denied: deniedByPerson(book),
    refused: refusedByPolicy(book),
    expired: expiredInSilence(book),
    tooLate: approvedTooLate(book),
    withdrawn: withdrawnBeforeTheYes(book),
    unasked: withdrawnUnasked(book),
    doubtful: lostWithItsPoller(book),
    unsaid: lastHeardOfBy500(book),
    unheard: lostStart(book),
    askedAgain: askedTwice(book),
    slowed: sloweddown(book),
    wiped: underWayAtTheWipe(book),
    keyless: withoutKey(book),
  };
}

function close(book: HistoryBuilder): void {
  for (const name of sometimesInFull) book.paper.sometimes[name] = 1;
  book.pass(10 * seconds);
  book.paper.run.quiescedAtMs = book.nowMs;
  book.paper.run.requests = book.rows('authorization_requests').length;
  sealAuditLog(book.paper, auditEventsOf(book.paper));
}

function consumedByOneOfMany(book: HistoryBuilder): PaperRequest {
  const request = book.submit({ callback: true });
  book.initiate(request);
  book.get(request);
  book.poll(request, 'pending');
  book.approve(request);
  book.get(request);
  book.consume(request, 'use-1');
  book.consume(request, 'use-1');
  book.refuse(request, 'consume', 409, 'already_consumed', { consumeKey: 'use-2', attributes: request.attributes });
  book.refuse(request, 'consume', 409, 'request_mismatch', { consumeKey: 'use-3', attributes: { amount: 1_000_000 } });
  book.refuse(request, 'cancel', 409, 'already_decided');
  const stranger = { requestId: request.row['id'] as string };
  book.call('bank', 'get', stranger, { status: 404, problemCode: 'not_found', answer: { status: 404 } });
  return request;
}

function pingedTwice(book: HistoryBuilder): PaperRequest {
  const request = book.submit({ client: 'bank', rule: 'Ping', answerLost: true });
  book.submitCall(request, false, { replayed: true });
  const reused = { idempotencyKey: request.key, bodyHash: 'another body', attributes: {} };
  book.call('bank', 'submit', reused, { status: 422, problemCode: 'idempotency_key_reused', answer: { status: 422 } });
  book.initiate(request);
  book.poll(request, 'pending', {}, 30 * seconds);
  book.person(request, 'approve');
  book.ping(request, 2);
  const hash = book.poll(request, 'tokens', {}, 100)!;
  book.end(request, 'approved', {
    evidence: book.evidence(request, hash),
    id_token_sha256: hash,
    granted_scope: 'openid',
    consume_by: new Date(book.nowMs + 300 * seconds).toISOString(),
  });
  return request;
}

function deniedByPerson(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.initiate(request);
  book.person(request, 'deny');
  book.poll(request, 'access_denied');
  book.end(request, 'denied', {}, { by: 'person', polls: 1 });
  book.refuse(request, 'consume', 409, 'not_approved');
  return request;
}

function refusedByPolicy(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.start(request, { said: 'refused', error: 'access_denied', delivered: true }, 'refused');
  book.end(request, 'denied', { reason: 'provider_policy' }, { by: 'provider' });
  return request;
}

function expiredInSilence(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.initiate(request, 12);
  book.poll(request, 'pending');
  book.poll(request, 'pending');
  book.pass(3 * seconds);
  book.end(request, 'expired', {}, { asked: true, polls: 2 });
  return request;
}

function approvedTooLate(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.initiate(request, 12);
  book.poll(request, 'pending');
  book.person(request, 'approve');
  const hash = book.poll(request, 'tokens', {}, 6_900)!;
  book.pass(500);
  const late = { late_evidence: book.evidence(request, hash), id_token_sha256: hash };
  book.end(request, 'expired', late, { lateApproval: true, polls: 2 });
  return request;
}

function withdrawnBeforeTheYes(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.initiate(request);
  book.pass(4_900);
  book.cancel(request);
  book.person(request, 'approve');
  book.lateEvidence(request);
  return request;
}

function withdrawnUnasked(book: HistoryBuilder): PaperRequest {
  const request = book.submit({ callback: true });
  book.cancel(request);
  return request;
}

function lostWithItsPoller(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.initiate(request);
  book.person(request, 'approve');
  book.poll(request, 'tokens', { delivered: true });
  book.fault('kill', 'poller-1', 500, 2_000);
  book.pass(15 * seconds);
  book.poll(request, 'invalid_grant');
  book.end(request, 'failed', { reason: 'outcome_unknown' }, { reason: 'outcome_unknown' });
  return request;
}

function lastHeardOfBy500(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.initiate(request, 12);
  book.poll(request, 'pending');
  book.poll(request, 'none', { error: '500', delivered: true });
  book.pass(3 * seconds);
  book.end(request, 'failed', { reason: 'outcome_unknown' }, { reason: 'outcome_unknown' });
  return request;
}

function lostStart(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.fault('drop-start-reply', 'provider', 200);
  const lost = `auth-of-${String(request.row['id'])}`;
  book.start(request, { said: 'acknowledged', authReqId: lost, intervalMs: 5_000, delivered: false }, 'unknown');
  book.end(request, 'failed', { reason: 'initiation_unknown' }, { reason: 'initiation_unknown' });
  return request;
}

function askedTwice(book: HistoryBuilder): PaperRequest {
  const request = book.submit({ rule: 'Ask again' });
  book.fault('reset', 'ciba-worker-1->provider', 300);
  const lost = `auth-of-${String(request.row['id'])}`;
  book.start(request, { said: 'acknowledged', authReqId: lost, intervalMs: 5_000, delivered: null }, 'unknown');
  book.initiate(request);
  book.approve(request);
  book.pass(301 * seconds);
  book.refuse(request, 'consume', 409, 'approval_lapsed', { consumeKey: 'late' });
  return request;
}

function sloweddown(book: HistoryBuilder): PaperRequest {
  const request = book.submit({ client: 'bank' });
  const busy = { said: 'none' as const, error: '429', retryAfterSeconds: 1, delivered: true };
  book.start(request, busy, 'not-accepted');
  book.pass(1_000);
  book.initiate(request);
  for (let times = 0; times < 3; times++) book.poll(request, 'slow_down');
  book.approve(request);
  book.consume(request, null);
  return request;
}

function underWayAtTheWipe(book: HistoryBuilder): PaperRequest {
  const request = book.submit();
  book.initiate(request);
  book.fault('wipe-broker', 'broker', 6_000, 4_000);
  book.poll(request, 'pending');
  book.pass(40 * seconds);
  book.approve(request);
  // The broker gave it twice; the subscriber tells by the id.
  book.paper.amqp.push({ ...book.paper.amqp.at(-1)!, redelivered: true });
  return request;
}

function withoutKey(book: HistoryBuilder): PaperRequest {
  const request = book.submit({ keyed: false });
  book.initiate(request);
  book.approve(request);
  const [id, log] = ['delivery given up', 'decision-service-1-1.log'];
  const delivery = book.rows('deliveries').at(-1)!;
  Object.assign(delivery, { state: 'exhausted', failed_attempts: 10 });
  book.paper.webhooks.at(-1)!.answered = 500;
  book.paper.logs[log] =
    (book.paper.logs[log] ?? '') + `${JSON.stringify({ level: 'error', message: id, deliveryId: delivery['id'] })}\n`;
  return request;
}

function otherFaults(book: HistoryBuilder): void {
  book.fault('kill-postgres', 'postgres', 1_500, 3_000);
  book.fault('kill-broker', 'broker', 7_000, 2_000);
  book.fault('kill', 'rules-service-2', 700, 1_000);
  book.fault('sink-down', 'sink', 2_000);
}
