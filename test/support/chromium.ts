import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';

export type { Browser, Locator, Page, Route } from 'playwright-core';

const candidates = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser of this machine, or null: then tests that need one are skipped. */
export function findChromium(): string | null {
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null;
}

/**
 * Tests that look at pages. Without a browser they cannot run, and say so as skipped; `npm test` installs one where it can,
 * and prints the reason where it cannot.
 */
export const describeWithBrowser = findChromium() === null ? describe.skip : describe;

/**
 * Starts the browser with a profile of its own, which `close()` removes.
 * @throws Error when this machine has none
 */
export function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error('No Chromium was found; CHROMIUM_PATH says where one is');
  return chromium.launch({ executablePath, args: flags });
}

/** A page that is watched: whatever a careful reviewer would see in the developer tools is in `complaints`. */
export interface WatchedPage {
  readonly page: Page;
  /** Console errors and warnings, uncaught errors, violations of the content security policy, foreign hosts. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface PageOptions {
  readonly width: number;
  readonly height: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** Opens an empty page of this size, in a fresh profile. */
export async function openWatchedPage(browser: Browser, options: PageOptions): Promise<WatchedPage> {
  const { width, height, colorScheme = 'light' } = options;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  await context.exposeFunction('reportViolation', (violation: string) => complaints.push(violation));
  await context.addInitScript(() => {
    const page = globalThis as unknown as PageGlobals;
    page.document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      page.reportViolation(`policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  watch(page, complaints);
  // Pages that this one opens are held to the same.
  context.on('page', (opened) => watch(opened, complaints));
  return { page, complaints, close: () => context.close() };
}

/** What axe finds wrong with the page as it is now: rule and element, one line each. */
export async function findAccessibilityProblems(page: Page): Promise<string[]> {
  // Evaluated rather than added as a script, which the page's policy would rightly refuse.
  await page.evaluate(axeSource);
  // Colours on their way from one theme to the other are nobody's; what moves for ever is not waited for.
  await page.evaluate(`Promise.allSettled(
    document.getAnimations()
      .filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime))
      .map(({ finished }) => finished),
  ).then(() => undefined)`);
  return page.evaluate(async () => {
    // It would ask frames for an axe of theirs, which none has, and a frame whose page is still on its way complains of that.
    const { violations } = await (globalThis as unknown as PageGlobals).axe.run({ iframes: false });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

/** Whether something is wider than the window, so that a reader would have to scroll sideways. */
export function overflowsSideways(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = (globalThis as unknown as PageGlobals).document.documentElement;
    return scrollWidth > clientWidth;
  });
}

/** What reaches beyond the window, when a reader would have to scroll sideways for it. */
export async function findWhatIsTooWide(page: Page): Promise<string[]> {
  if (!(await overflowsSideways(page))) return [];
  const found = await page.evaluate<string[]>(`
    [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map((element) => element.outerHTML.slice(0, 160))
      .slice(0, 10)`);
  return found.length > 0 ? found : ['nothing that has a box'];
}

interface PageGlobals {
  readonly axe: {
    run(options: { iframes: false }): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
  };
  readonly document: {
    readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number };
    addEventListener(
      event: 'securitypolicyviolation',
      listener: (violation: { violatedDirective: string; blockedURI: string }) => void,
    ): void;
  };
  reportViolation(violation: string): void;
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

function watch(page: Page, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    const { url } = message.location();
    // That the API refuses something is for the page to tell, and no mistake of the page.
    const isRefusal = /^Failed to load resource: .* status of 4\d\d /.test(message.text());
    if (!isRefusal || !/^https?:\/\/[^/]+\/(v1|console\/api)\//.test(url))
      complaints.push(`console: ${message.text()} ${url}`);
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') complaints.push(`foreign host: ${request.url()}`);
  });
}
