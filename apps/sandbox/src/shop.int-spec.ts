import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeWithBrowser,
  findAccessibilityProblems,
  launchChromium,
  openWatchedPage,
  overflowsSideways,
  type Browser,
  type Page,
  type WatchedPage,
} from '../../../test/support/chromium.js';
import { freeConsecutivePorts } from '../../../test/support/rabbitmq-ports.js';
import { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.module.js';

type Json = Record<string, unknown>;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Json | null;
}

const API_KEY = 'the-key-that-no-browser-may-see';
const REQUESTS = '/v1/authorization-requests';

/** As much of Assent's API as the shop uses, decided by the test. */
class AssentDouble {
  readonly calls: Call[] = [];
  /** Answers to be given before the ordinary ones: a status and a body, or a cut connection. */
  readonly surprises: ({ status: number; body: Json } | 'cut' | 'work-then-cut')[] = [];
  readonly #requests = new Map<string, { id: string; key: string; decision: Json | null; consumed: boolean }>();
  #changed: (() => void)[] = [];

  constructor(readonly server: Server) {
    server.on('request', (req, res) => void this.#serve(req, res));
  }

  callsTo(method: string, suffix: string): Call[] {
    return this.calls.filter((call) => call.method === method && call.path.endsWith(suffix));
  }

  /** Resolves when the shop has asked and waits. */
  async untilAsked(count = 1): Promise<void> {
    while (this.callsTo('POST', REQUESTS).length < count || this.#requests.size === 0) await this.#change();
  }

  decide(outcome: string, reason: string | null = null): void {
    for (const request of this.#requests.values()) request.decision ??= { outcome, reason };
    this.#announce();
  }

  /** Cuts whatever is still waiting, as a closing server would. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const body = text ? (JSON.parse(text) as Json) : null;
    const path = req.url ?? '';
    this.calls.push({ method: req.method ?? '', path, headers: req.headers, body });
    const surprise = req.method === 'POST' ? this.surprises.shift() : undefined;
    if (surprise === 'cut') {
      res.destroy();
      return;
    }
    const answer = typeof surprise === 'object' ? surprise : await this.#answer(req, path);
    this.#announce();
    if (surprise === 'work-then-cut') res.destroy();
    else res.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  }

  async #answer(req: IncomingMessage, path: string): Promise<{ status: number; body: Json }> {
    if (req.headers.authorization !== `Bearer ${API_KEY}`) return { status: 401, body: { code: 'unauthorized' } };
    if (path === REQUESTS)
      return { status: 202, body: documentOf(this.#create(String(req.headers['idempotency-key']))) };
    const [id = '', action] = path.slice(REQUESTS.length + 1).split('/');
    const request = this.#requests.get(id);
    if (!request) return { status: 404, body: { code: 'not_found' } };
    if (action === 'cancel') {
      request.decision ??= { outcome: 'cancelled', reason: null };
    } else if (action === 'consume') {
      if (request.consumed) return { status: 409, body: { code: 'already_consumed', detail: 'Used up.' } };
      request.consumed = true;
    } else {
      while (!request.decision && !req.destroyed) await this.#change();
    }
    return { status: 200, body: documentOf(request) };
  }

  #create(key: string): { id: string; decision: Json | null } {
    const known = this.#requests.get(`request-${key}`);
    const request = known ?? { id: `request-${key}`, key, decision: null, consumed: false };
    this.#requests.set(request.id, request);
    return request;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #announce(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }
}

function documentOf({ id, decision }: { id: string; decision: Json | null }): Json {
  return { id, status: decision?.outcome ?? 'pending', reason: null, decision };
}

let assent: AssentDouble;
let sandbox: Sandbox;
let options: SandboxOptions;
let dataDir: string;

beforeEach(async () => {
  const port = await freeConsecutivePorts(3);
  assent = new AssentDouble(createServer().listen(port + 2, '127.0.0.1'));
  await once(assent.server, 'listening');
  dataDir = await mkdtemp(join(tmpdir(), 'assent-shop-'));
  options = { port, assentUrl: `http://127.0.0.1:${port + 2}`, assentApiKey: API_KEY, dataDir };
  sandbox = await startSandbox(options);
});

afterEach(async () => {
  await sandbox.stop();
  assent.close();
  await rm(dataDir, { recursive: true });
});

async function order(body: Json = {}): Promise<Json> {
  const answer = await fetch(`${sandbox.shopUrl}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'alice@example.com', lines: [{ sku: 'house-blend', quantity: 2 }], ...body }),
  });
  return { httpStatus: answer.status, ...((await answer.json()) as Json) };
}

/** Follows the order's stream until it is over. */
async function untilOver({ id }: Json): Promise<Json> {
  const answer = await fetch(`${sandbox.shopUrl}/orders/${String(id)}/events`);
  let text = '';
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    const latest = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as Json)
      .at(-1);
    if (latest?.over) return latest;
  }
  throw new Error(`The stream ended before order ${String(id)} was over`);
}

describe('the shop’s backend', () => {
  it('asks for exactly one authorization, consumes it for the same payment, and only then is paid', async () => {
    const placed = await order();
    expect(placed).toMatchObject({ httpStatus: 201, amount: '29.50 EUR', status: 'placed', phonePath: '/phone/alice' });
    await assent.untilAsked();
    expect(assent.callsTo('POST', '/consume')).toEqual([]);
    assent.decide('approved');
    expect(await untilOver(placed)).toMatchObject({ status: 'paid' });

    const attributes = { email: 'alice@example.com', amount: '29.50 EUR', payee: 'Alder & Finch' };
    const [asked] = assent.callsTo('POST', REQUESTS);
    expect(asked?.headers).toMatchObject({ authorization: `Bearer ${API_KEY}`, 'idempotency-key': placed.id });
    expect(asked?.body).toEqual({
      rule: 'Approve a payment',
      attributes,
      bindingMessage: `Pay 29.50 EUR to Alder & Finch, order ${String(placed.number)}`,
      metadata: { order: placed.id },
    });
    expect(assent.calls.find(({ method }) => method === 'GET')?.headers.prefer).toMatch(/^wait=\d+$/);
    expect(assent.callsTo('POST', '/consume').map(({ body }) => body)).toEqual([{ attributes }]);
  });

  it.each([
    ['denied', null, 'denied', null],
    ['expired', null, 'expired', null],
    ['failed', 'unknown_user', 'failed', 'Assent reports unknown user.'],
  ])('consumes nothing after %s', async (outcome, reason, status, problem) => {
    const placed = await order();
    await assent.untilAsked();
    assent.decide(outcome, reason);
    expect(await untilOver(placed)).toMatchObject({ status, problem });
    expect(assent.callsTo('POST', '/consume')).toEqual([]);
  });

  it('repeats a call that got no answer under the same key', async () => {
    assent.surprises.push('work-then-cut');
    const placed = await order();
    await assent.untilAsked(2);
    const keys = assent.callsTo('POST', REQUESTS).map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([placed.id, placed.id]);
    assent.decide('approved');
    expect(await untilOver(placed)).toMatchObject({ status: 'paid' });
  });

  it('counts an approval as its own when the answer to its consumption was lost', async () => {
    const placed = await order();
    await assent.untilAsked();
    assent.surprises.push('work-then-cut');
    assent.decide('approved');
    expect(await untilOver(placed)).toMatchObject({ status: 'paid' });
    expect(assent.callsTo('POST', '/consume')).toHaveLength(2);
  });

  it('is not paid when somebody else has consumed the approval', async () => {
    const placed = await order();
    await assent.untilAsked();
    assent.surprises.push({ status: 409, body: { code: 'already_consumed', detail: 'Used up.' } });
    assent.decide('approved');
    expect(await untilOver(placed)).toMatchObject({ status: 'failed', problem: 'Used up.' });
  });

  it('shows the words of a refusal', async () => {
    assent.surprises.push({ status: 429, body: { code: 'prompt_limit', detail: 'Too many prompts.' } });
    expect(await untilOver(await order())).toMatchObject({ status: 'failed', problem: 'Too many prompts.' });
  });

  it('carries an order to its end after a kill', async () => {
    const placed = await order();
    await assent.untilAsked();
    await (await fetch(`${sandbox.shopUrl}/orders/${String(placed.id)}`)).json();
    // What a killed process leaves behind is the file as it is now.
    const state = join(dataDir, 'sandbox-state.jsonl');
    await copyFile(state, `${state}.now`);
    await sandbox.stop();
    await copyFile(`${state}.now`, state);
    sandbox = await startSandbox(options);
    assent.decide('approved');
    expect(await untilOver(placed)).toMatchObject({ status: 'paid' });
  });

  it.each([
    ['an unknown customer', { email: 'carol@example.com' }, 'unknown_customer'],
    ['an empty basket', { lines: [] }, 'invalid_basket'],
    ['a basket of something else', { lines: 'everything' }, 'invalid_basket'],
  ])('takes no order for %s', async (_what, body, code) => {
    expect(await order(body)).toMatchObject({ httpStatus: 422, code });
    expect(assent.calls).toEqual([]);
  });

  it('takes no order from a page of another origin', async () => {
    const answer = await fetch(`${sandbox.shopUrl}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
      body: '{}',
    });
    expect(answer.status).toBe(403);
  });
});

describeWithBrowser('the shop’s page', () => {
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;
  let traffic: string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser.close());

  beforeEach(async () => {
    watched = await openWatchedPage(browser, { width: 390, height: 844 });
    page = watched.page;
    traffic = [];
    page.on('response', (response) => {
      traffic.push(JSON.stringify(response.headers()));
      // The stream of an order has no end to wait for.
      if (!response.url().endsWith('/events'))
        void response.text().then(
          (text) => traffic.push(text),
          () => undefined,
        );
    });
    await page.goto(sandbox.shopUrl);
  });

  afterEach(async () => {
    await watched.close();
    expect(watched.complaints).toEqual([]);
    expect(traffic.join('\n')).not.toContain(API_KEY);
    expect(traffic.join('\n')).toContain('Alder');
  });

  const pay = () => page.getByRole('button', { name: /^Pay/ });

  it('shows the price that the server charges, asks, and says that it is paid', async () => {
    await page.getByRole('button', { name: 'One more: House blend' }).click();
    expect(await pay().textContent()).toBe('Pay €127.75');
    await pay().click();
    await page.getByRole('heading', { name: 'Approve it on your phone' }).waitFor();
    expect(await page.getByRole('link', { name: 'Open the phone' }).getAttribute('href')).toBe('/phone/alice');
    expect(assent.callsTo('POST', REQUESTS)[0]?.body).toMatchObject({ attributes: { amount: '127.75 EUR' } });
    expect(await findAccessibilityProblems(page)).toEqual([]);

    assent.decide('approved');
    await page.getByRole('heading', { name: 'Paid. Thank you!' }).waitFor();
    expect(await findAccessibilityProblems(page)).toEqual([]);
  });

  it('says that nothing was charged after a denial, and lets the person go back', async () => {
    await page.getByRole('radio', { name: 'Bob' }).check();
    await pay().click();
    await page.getByRole('heading', { name: 'Approve it on your phone' }).waitFor();
    expect(await page.getByRole('link', { name: 'Open the phone' }).getAttribute('href')).toBe('/phone/bob');
    assent.decide('denied');
    await page.getByRole('heading', { name: 'You said no' }).waitFor();
    await page.getByRole('button', { name: 'Back to the basket' }).click();
    expect(await pay().isVisible()).toBe(true);
  });

  it('cancels', async () => {
    await pay().click();
    await page.getByRole('button', { name: 'Cancel this payment' }).click();
    await page.getByRole('heading', { name: 'Cancelled' }).waitFor();
    expect(assent.callsTo('POST', '/cancel')).toHaveLength(1);
  });

  it('goes on where it was after a reload', async () => {
    await pay().click();
    await page.getByRole('heading', { name: 'Approve it on your phone' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Approve it on your phone' }).waitFor();
    assent.decide('expired');
    await page.getByRole('heading', { name: 'Nobody answered' }).waitFor();
    expect(assent.callsTo('POST', REQUESTS)).toHaveLength(1);
  });

  it('sells nothing for nothing', async () => {
    for (const article of ['Pour-over kettle', 'Two stoneware cups', 'House blend', 'House blend']) {
      await page.getByRole('button', { name: `One less: ${article}` }).click();
    }
    await pay().press('Enter');
    expect(await pay().getAttribute('aria-disabled')).toBe('true');
    expect(await page.getByRole('heading', { name: 'Your basket' }).isVisible()).toBe(true);
    expect(assent.calls).toEqual([]);
  });

  it.each([
    [320, 'dark'],
    [390, 'light'],
    [1280, 'dark'],
  ] as const)('fits a window of %d px in %s colours, and has no accessibility problem', async (width, colorScheme) => {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect(await findAccessibilityProblems(page)).toEqual([]);
    expect(await overflowsSideways(page)).toBe(false);
    await pay().click();
    await page.getByRole('heading', { name: 'Approve it on your phone' }).waitFor();
    expect(await overflowsSideways(page)).toBe(false);
    expect(await findAccessibilityProblems(page)).toEqual([]);
    assent.decide('approved');
    await page.getByRole('heading', { name: 'Paid. Thank you!' }).waitFor();
    expect(await findAccessibilityProblems(page)).toEqual([]);
  });

  it('is used by keyboard alone', async () => {
    const tabTo = async (id: string): Promise<void> => {
      for (let pressed = 0; pressed < 40; pressed++) {
        await page.keyboard.press('Tab');
        if ((await page.evaluate('document.activeElement.id')) === id) return;
      }
      throw new Error(`The keyboard does not reach ${id}.`);
    };
    await tabTo('pay');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Approve it on your phone' }).waitFor();
    await tabTo('cancel');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Cancelled' }).waitFor();
  });
});
