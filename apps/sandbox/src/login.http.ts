import type { Provider } from 'oidc-provider';
import { findAccountById } from './accounts.js';
import { sendPage } from './pages.http.js';
import { HttpProblem, type PageRouter } from './web.js';

/** Where the provider sends people who have to log in. */
export const loginPath = '/login';

/** The page on which people say who they are. A sandbox believes them. */
export function addLoginRoutes(
  router: PageRouter,
  provider: Pick<Provider, 'interactionDetails' | 'interactionFinished'>,
) {
  router
    .get(`${loginPath}/:uid`, async ({ req, res, params }) => {
      await provider.interactionDetails(req, res).catch(noSuchLogin);
      sendPage(res, 'login.html', { uid: params.uid ?? '' });
    })
    .get(`${loginPath}/:uid/:account`, async ({ req, res, params }) => {
      const account = findAccountById(params.account ?? '');
      if (!account) throw new HttpProblem(404, 'unknown_account', 'Nobody of this name is in the sandbox.');
      await provider.interactionFinished(req, res, { login: { accountId: account.id } }).catch(noSuchLogin);
    });
}

function noSuchLogin(): never {
  throw new HttpProblem(404, 'unknown_login', 'This login is over. Begin it again where it began.');
}
