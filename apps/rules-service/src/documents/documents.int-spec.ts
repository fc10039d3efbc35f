import { createLog, startService, type RunningService } from '#lib/runtime';
import { Module, type DynamicModule } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  describeWithBrowser,
  findAccessibilityProblems,
  launchChromium,
  openWatchedPage,
  overflowsSideways,
  type Browser,
} from '../../../../test/support/chromium.js';
import { freeConsecutivePorts } from '../../../../test/support/rabbitmq-ports.js';
import { DocumentsController } from './documents.controller.js';

@Module({})
class DocumentsAlone {}

describeWithBrowser('the reference pages', () => {
  let service: RunningService;
  let browser: Browser;

  beforeAll(async () => {
    const module: DynamicModule = { module: DocumentsAlone, controllers: [DocumentsController] };
    service = await startService({
      module,
      strategy: null,
      port: await freeConsecutivePorts(1),
      host: '127.0.0.1',
      log: createLog({ service: 'documents', level: 'silent' }),
      health: [],
      isUnavailable: () => false,
    });
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const paths = ['/docs', '/docs/events', '/docs/errors', '/docs/errors/prompt_limit'];
  const screens = [
    { width: 1280, height: 900, colorScheme: 'light' },
    { width: 390, height: 844, colorScheme: 'dark' },
  ] as const;

  it.each(paths.flatMap((path) => screens.map((screen) => ({ path, ...screen }))))(
    '$path can be read by everybody, $width wide and $colorScheme',
    async ({ path, ...screen }) => {
      const watched = await openWatchedPage(browser, screen);
      const { page } = watched;
      await page.goto(`${service.url}${path}`);
      expect(await overflowsSideways(page)).toBe(false);
      expect(await findAccessibilityProblems(page)).toEqual([]);
      expect(watched.complaints).toEqual([]);
      await watched.close();
    },
    60_000,
  );

  it('leads from the type of a problem to its explanation', async () => {
    const answer = await fetch(`${service.url}/nowhere`);
    const { type } = (await answer.json()) as { type: string };
    const watched = await openWatchedPage(browser, screens[0]);
    const { page } = watched;
    await page.goto(`${service.url}${type}`);
    expect(await page.locator('h1').innerText()).toBe('not_found');
    await watched.close();
  }, 30_000);

  it('are served with a policy that allows their style sheet and nothing else', async () => {
    for (const path of paths) {
      const { headers } = await fetch(`${service.url}${path}`);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});
