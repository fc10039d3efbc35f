import { accounts, findAccountById, findAccountByLoginHint, type Account } from './accounts.js';
import type { AnswerOutcome, Phone, PhoneAnswer, PhoneRequest } from './phone.js';
import { sendPage } from './pages.http.js';
import { HttpProblem, sendJson, sendNothing, streamSnapshots, type PageRouter, type RouteHandler } from './web.js';

const MAX_SHOWN = 50;

/** The phone pages for people, and the same for scripts. */
export function addPhoneRoutes(router: PageRouter, phone: Phone): void {
  router
    .get('/phone', (exchange) => sendPage(exchange.res, 'phone-choice.html'))
    .get('/phone/requests', ({ res, url }) => {
      const account = findAccountByLoginHint(url.searchParams.get('loginHint') ?? '');
      if (!account) throw new HttpProblem(404, 'unknown_login_hint', 'Nobody in this sandbox has this login hint.');
      sendJson(res, 200, phone.waitingFor(account.id).map(forScripts));
    })
    .post('/phone/requests/:id/approve', answerWith(phone, 'approved'))
    .post('/phone/requests/:id/deny', answerWith(phone, 'denied'))
    .get('/phone/:account', ({ res, params }) => {
      const { name, loginHint } = accountOf(params);
      sendPage(res, 'phone.html', { name, loginHint });
    })
    .get('/phone/:account/events', (exchange) => {
      const { id } = accountOf(exchange.params);
      streamSnapshots(
        exchange,
        () => screenOf(phone, id),
        (listener) => phone.onChange(id, listener),
      );
    });
}

function answerWith(phone: Phone, answer: PhoneAnswer): RouteHandler {
  return async ({ res, params }) => {
    const problem = problemOf(await phone.answer(params.id ?? '', answer));
    if (problem) throw problem;
    sendNothing(res);
  };
}

function problemOf(outcome: AnswerOutcome): HttpProblem | null {
  switch (outcome) {
    case 'answered':
      return null;
    case 'unknown':
      return new HttpProblem(404, 'unknown_request', 'There is no such request on a phone.');
    case 'already-answered':
      return new HttpProblem(409, 'already_answered', 'This request has been answered already.');
    case 'expired':
      return new HttpProblem(409, 'expired', 'This request has expired.');
  }
}

function accountOf(params: Readonly<Record<string, string>>): Account {
  const account = findAccountById(params.account ?? '');
  if (account) return account;
  const names = accounts.map(({ id }) => id).join(' and ');
  throw new HttpProblem(404, 'unknown_account', `The phones of this sandbox belong to ${names}.`);
}

function forScripts({ id, accountId, bindingMessage, clientId, scope, createdAt }: PhoneRequest): object {
  return { id, loginHint: findAccountById(accountId)?.loginHint, bindingMessage, clientId, scope, createdAt };
}

/** Times left rather than times of day: the browser's clock may differ. */
function screenOf(phone: Phone, accountId: string): object {
  const nowSeconds = Date.now() / 1000;
  const waiting = phone.waitingFor(accountId);
  return {
    waiting: waiting.slice(0, MAX_SHOWN).map((request) => ({
      id: request.id,
      clientName: request.clientName,
      bindingMessage: request.bindingMessage,
      scopes: request.scope.split(' '),
      secondsLeft: request.expiresAt - nowSeconds,
      secondsValid: request.expiresAt - Date.parse(request.createdAt) / 1000,
    })),
    waitingUnshown: Math.max(0, waiting.length - MAX_SHOWN),
    recent: phone.recentAnswers(accountId).map((request) => ({
      id: request.id,
      clientName: request.clientName,
      bindingMessage: request.bindingMessage,
      answer: request.answer,
      secondsAgo: nowSeconds - Date.parse(request.answeredAt ?? request.createdAt) / 1000,
    })),
  };
}
