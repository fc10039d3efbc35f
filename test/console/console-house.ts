import type { PageOptions, WatchedPage } from '../support/chromium.js';
import { launchChromium, openWatchedPage, type Browser, type Page } from '../support/chromium.js';
import { RulesHouse } from '../support/rules-house.js';

/** A rules service with a database of its own, and a browser that is logged in to its console. */
export class ConsoleHouse {
  private constructor(
    readonly rules: RulesHouse,
    readonly browser: Browser,
  ) {}

  static async open(): Promise<ConsoleHouse> {
    const [rules, browser] = await Promise.all([RulesHouse.open(), launchChromium()]);
    return new ConsoleHouse(rules, browser);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.rules.close();
  }

  /** Opens a page of the console in a fresh profile, logs in, and comes to the page. */
  async visit(path: string, options: Partial<PageOptions> = {}): Promise<WatchedPage> {
    const watched = await openWatchedPage(this.browser, { width: 1280, height: 900, ...options });
    await this.go(watched.page, path);
    return watched;
  }

  /** Goes to another page as somebody does who types its address. */
  async go(page: Page, path: string): Promise<void> {
    await page.goto(`${this.rules.url}/console${path}`);
    await page.locator('h1').first().waitFor();
    if (new URL(page.url()).pathname === '/console/login') {
      await page.locator('input[type="password"]').fill(this.rules.apiKey);
      await page.getByRole('button', { name: 'Log in', exact: true }).click();
    }
    await page.getByRole('button', { name: /, (admin|auditor)$/ }).waitFor();
    await settled(page);
  }
}

/** Resolves when nothing on the page is a placeholder any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => {
    const { document } = globalThis as unknown as { document: { querySelector(selector: string): unknown } };
    return document.querySelector('[aria-busy="true"], .mantine-Skeleton-root') === null;
  });
}
