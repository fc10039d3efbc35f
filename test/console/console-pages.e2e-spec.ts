import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  describeWithBrowser,
  findAccessibilityProblems,
  overflowsSideways,
  type WatchedPage,
} from '../support/chromium.js';
import { ConsoleHouse } from './console-house.js';
import { Visitor } from './visitor.js';

/** Every page, as it is before anything has been defined. */
const pages = [
  '/overview',
  '/transactions',
  '/test-rule',
  '/access/rules',
  '/access/rules/new',
  '/access/rejection-handlers',
  '/access/rejection-handlers/new',
  '/access/rejection-handlers/00000000-0000-7000-8000-000000000001',
  '/security/key-pairs',
  '/security/signing-keys',
  '/settings/token-providers',
  '/settings/token-providers/new',
  '/settings/webhooks',
  '/settings/api-clients',
  '/settings/audit-log',
  '/settings/import-export',
  '/nowhere',
];

describeWithBrowser('the console', () => {
  let house: ConsoleHouse;
  beforeAll(async () => {
    house = await ConsoleHouse.open();
  }, 60_000);
  afterAll(async () => {
    await house?.close();
  }, 60_000);

  it.each([
    { width: 1280, height: 900, colorScheme: 'light', paths: pages },
    // The others are looked at in the dark once something is in them (`administration.e2e-spec.ts`).
    {
      width: 320,
      height: 700,
      colorScheme: 'dark',
      paths: pages.filter((path) => !/handlers|keys|key-pairs/.test(path)),
    },
  ] as const)(
    'has pages that everybody can use, $width wide and $colorScheme',
    async ({ paths, ...screen }) => {
      const watched = await house.visit('/overview', screen);
      const { page, complaints } = watched;
      const found: string[] = [];
      for (const path of paths) {
        await house.go(page, path);
        if (await overflowsSideways(page)) found.push(`${path}: too wide`);
        found.push(...(await findAccessibilityProblems(page)).map((problem) => `${path}: ${problem}`));
      }
      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
      await watched.close();
    },
    120_000,
  );

  describe('as it is served', () => {
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${house.rules.url}${path}`, { headers, redirect: 'manual' });

    it('answers every address of a page with the page, under a policy that lets in nothing else', async () => {
      const nonces = new Set<string>();
      for (const path of ['/console', '/console/', '/console/overview', '/console/access/rules/new']) {
        const answer = await get(path);
        expect([path, answer.status]).toEqual([path, 200]);
        expect(answer.headers.get('cache-control')).toBe('no-store');
        const policy = answer.headers.get('content-security-policy')!;
        const nonce = /'nonce-([\w-]{24})'/.exec(policy)![1]!;
        nonces.add(nonce);
        expect(policy).toContain("default-src 'none'");
        expect(policy).toContain("frame-ancestors 'none'");
        expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
        const html = await answer.text();
        expect(html).not.toContain('ASSENT_CSP_NONCE');
        for (const [, given] of html.matchAll(/<(?:script|link)[^>]* nonce="([^"]*)"/g)) expect(given).toBe(nonce);
      }
      expect(nonces.size).toBe(4);
    });

    it('keeps files for good, and has none that was not built', async () => {
      const html = await (await get('/console')).text();
      const script = /src="(\/console\/assets\/[^"]+)"/.exec(html)![1]!;
      for (const coding of ['br', 'gzip', 'identity']) {
        const answer = await get(script, { 'accept-encoding': coding });
        expect(answer.status).toBe(200);
        expect(answer.headers.get('content-encoding')).toBe(coding === 'identity' ? null : coding);
        expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
        expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      }
      for (const path of [
        '/console/assets/gone-1a2b3c4d.js',
        '/console/assets/',
        '/console/assets/../../../package.json',
        '/console/%2e%2e/%2e%2e/package.json',
        '/console/index.html.br',
        '/console/api/nothing',
      ]) {
        const answer = await get(path);
        expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
          path,
          404,
          'application/problem+json; charset=utf-8',
        ]);
      }
    });

    it('loads less than 250 kB of compressed script before the first page shows', async () => {
      const html = await (await get('/console')).text();
      const first = [...html.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+\.js)"/g)].map(([, path]) => path!);
      const watched = await house.visit('/overview');
      const loaded = await watched.page.evaluate(() =>
        (globalThis as unknown as BrowserGlobals).performance
          .getEntriesByType('resource')
          .map(({ name }) => name)
          .filter((name) => name.endsWith('.js')),
      );
      await watched.close();
      const all = new Set([...first, ...loaded.map((url) => new URL(url).pathname)]);
      let bytes = 0;
      for (const path of all) bytes += gzipSync(Buffer.from(await (await get(path)).arrayBuffer())).length;
      expect(all.size).toBeGreaterThan(2);
      expect(bytes).toBeLessThan(250_000);
    }, 60_000);
  });

  describe('filters of a list', () => {
    let watched: WatchedPage;
    let visitor: Visitor;
    beforeAll(async () => {
      for (const name of ['One', 'Two'])
        await house.rules.admin.create('rejection-handlers', { name, type: 'redirect', status: 302, url: '/away' });
      watched = await house.visit('/settings/audit-log');
      visitor = new Visitor(watched.page);
    }, 60_000);
    afterAll(async () => {
      await watched?.close();
    });

    const go = (search: string) => house.go(watched.page, `/settings/audit-log${search}`);
    const addressHas = (filters: Record<string, string>) =>
      watched.page.waitForURL(
        ({ searchParams }) => JSON.stringify(Object.fromEntries(searchParams)) === JSON.stringify(filters),
        { timeout: 10_000 },
      );
    const shown = (name: string) => watched.page.getByLabel(name, { exact: true }).inputValue();
    const events = () => watched.page.getByRole('table', { name: 'Audit events' }).getByRole('row');

    it('are all kept, and every letter of them, when they change faster than the page is drawn', async () => {
      await go('?action=rule.updated');
      await watched.page.evaluate(`(() => {
        const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
        const field = (name) => [...document.querySelectorAll('input')].find(({ labels }) => labels[0]?.textContent === name);
        const put = (name, text) => {
          set.call(field(name), text);
          field(name).dispatchEvent(new Event('input', { bubbles: true }));
        };
        put('What', '');
        for (const letter of 'rejection-handler') put('On', field('On').value + letter);
      })()`);
      await addressHas({ resource: 'rejection-handler' });
      await events().getByText('rejection-handler.created').nth(1).waitFor();
      expect([await shown('What'), await shown('On')]).toEqual(['', 'rejection-handler']);
    }, 60_000);

    it('can be typed in the middle', async () => {
      await go('?action=rejection-.created');
      const { keyboard } = watched.page;
      await visitor.field('What').focus();
      await keyboard.press('Home');
      for (let at = 0; at < 'rejection-'.length; at++) await keyboard.press('ArrowRight');
      await keyboard.type('handler');
      expect(await shown('What')).toBe('rejection-handler.created');
      await addressHas({ action: 'rejection-handler.created' });
      await events().getByText('rejection-handler.created').nth(1).waitFor();
    }, 60_000);

    it('can be given a time by the keyboard', async () => {
      await go(`?since=${new Date('2026-03-01T09:30').toISOString()}`);
      const { keyboard } = watched.page;
      await watched.page.getByLabel('Since', { exact: true }).focus();
      await keyboard.type('12312025');
      expect(await shown('Since')).toBe('2025-12-31T09:30');
      await addressHas({ since: new Date('2025-12-31T09:30').toISOString() });
      await keyboard.press('Backspace');
      await addressHas({});
      await keyboard.type('2024');
      expect(await shown('Since')).toBe('2024-12-31T09:30');
      await addressHas({ since: new Date('2024-12-31T09:30').toISOString() });
    }, 60_000);

    it('follow the address when a link or Back changes it', async () => {
      const whatIs = (text: string) =>
        visitor
          .field('What')
          .and(watched.page.locator(`[value="${text}"]`))
          .waitFor();
      await go('');
      await visitor.field('What').pressSequentially('rule.updated');
      await addressHas({ action: 'rule.updated' });
      await watched.page.getByRole('link', { name: 'Audit Log' }).click();
      await addressHas({});
      await whatIs('');
      await watched.page.goBack();
      await whatIs('rule.updated');
      expect(watched.complaints).toEqual([]);
    }, 60_000);
  });
});

interface BrowserGlobals {
  readonly performance: { getEntriesByType(type: string): ReadonlyArray<{ readonly name: string }> };
}
