import { findAccountByLoginHint } from './accounts.js';
import { AssentProblem } from './assent.http.js';
import { sendPage } from './pages.http.js';
import { priceOf, type BasketLine } from './shop-catalogue.js';
import { isOver, type Shop, type ShopOrder } from './shop.js';
import { HttpProblem, readJsonObject, sendJson, sendNothing, streamSnapshots, type PageRouter } from './web.js';

const MAX_LINES = 20;

/** The shop's page and its backend; the browser never talks to Assent and never sees the API key. */
export function addShopRoutes(router: PageRouter, shop: Shop): void {
  router
    .get('/shop', ({ res }) => sendPage(res, 'shop.html'))
    .post('/shop/orders', async ({ req, res }) => {
      const { email, lines } = await readJsonObject(req);
      const account = findAccountByLoginHint(typeof email === 'string' ? email : '');
      if (!account) throw new HttpProblem(422, 'unknown_customer', 'The shop does not know this customer.');
      const cents = isBasket(lines) ? priceOf(lines) : null;
      if (cents === null) throw new HttpProblem(422, 'invalid_basket', 'There is nothing in the basket to pay for.');
      sendJson(res, 201, forBrowser(await shop.place(account.loginHint, cents)));
    })
    .get('/shop/orders/:id', ({ res, params }) => sendJson(res, 200, forBrowser(orderOf(shop, params))))
    .get('/shop/orders/:id/events', (exchange) => {
      const { id } = orderOf(shop, exchange.params);
      streamSnapshots(
        exchange,
        () => forBrowser(orderOf(shop, exchange.params)),
        (listener) => shop.onChange(id, listener),
      );
    })
    .post('/shop/orders/:id/cancel', async ({ res, params }) => {
      try {
        await shop.cancel(orderOf(shop, params));
      } catch (error) {
        // Decided meanwhile is no failure of the button: the page shows the decision.
        const problem = error instanceof AssentProblem ? error : null;
        if (problem?.code !== 'already_decided') throw new HttpProblem(502, 'not_cancelled', 'Please try again.');
      }
      sendNothing(res);
    });
}

function orderOf(shop: Shop, params: Readonly<Record<string, string>>): ShopOrder {
  const order = shop.find(params.id ?? '');
  if (!order) throw new HttpProblem(404, 'unknown_order', 'There is no such order.');
  return order;
}

function isBasket(lines: unknown): lines is BasketLine[] {
  return (
    Array.isArray(lines) &&
    lines.length <= MAX_LINES &&
    lines.every((line: unknown) => typeof line === 'object' && line !== null && 'sku' in line && 'quantity' in line)
  );
}

function forBrowser({ id, number, loginHint, amount, status, problem }: ShopOrder): object {
  return {
    id,
    number,
    amount,
    status,
    problem,
    over: isOver(status),
    phonePath: `/phone/${findAccountByLoginHint(loginHint)?.id ?? ''}`,
  };
}
