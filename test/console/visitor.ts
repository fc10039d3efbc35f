import { expect } from '@jest/globals';
import { findAccessibilityProblems, findWhatIsTooWide, type Page } from '../support/chromium.js';

/** Somebody at a page of the console: finds things by what they are called, and notices what is wrong for anybody. */
export class Visitor {
  constructor(readonly page: Page) {}

  button(name: string | RegExp) {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** A field for text. */
  field(name: string) {
    return this.page.getByRole('textbox', { name, exact: true });
  }

  dialog(name: string) {
    return this.page.getByRole('dialog', { name });
  }

  /** Resolves when something says this. */
  said(words: string | RegExp): Promise<void> {
    return this.page.getByText(words).first().waitFor();
  }

  /** The page as it is now can be used by everybody, in both themes. */
  async findsNothingWrong(): Promise<void> {
    for (const colorScheme of ['dark', 'light'] as const) {
      await this.page.emulateMedia({ colorScheme });
      expect([colorScheme, await findAccessibilityProblems(this.page)]).toEqual([colorScheme, []]);
    }
  }

  /** The page as it is now needs no scrolling sideways on the narrowest screen. */
  async findsItNarrowEnough(): Promise<void> {
    const before = this.page.viewportSize()!;
    await this.page.setViewportSize({ width: 320, height: 740 });
    expect([this.page.url(), await findWhatIsTooWide(this.page)]).toEqual([this.page.url(), []]);
    await this.page.setViewportSize(before);
  }

  /** What the element with the focus is called. */
  focused(): Promise<string> {
    return this.page.evaluate<string>(focusedLabel);
  }

  /** Resolves when the focus is on the element with this name. */
  async comesTo(name: string): Promise<void> {
    // Asked from here: a condition that the page itself evaluates again and again is against its policy.
    const deadline = Date.now() + 30_000;
    while ((await this.focused()) !== name) {
      if (Date.now() > deadline) throw new Error(`The focus stays on "${await this.focused()}", and not on "${name}".`);
      await this.page.waitForTimeout(20);
    }
  }

  /** Presses Tab until the focus is on the element with this name, as somebody without a mouse does. */
  async tabTo(name: string | RegExp): Promise<void> {
    const passed: string[] = [];
    for (let pressed = 0; pressed < 90; pressed++) {
      await this.page.keyboard.press('Tab');
      const label = await this.focused();
      if (typeof name === 'string' ? label === name : name.test(label)) return;
      passed.push(label);
    }
    throw new Error(`The keyboard does not reach ${String(name)}: ${passed.join(' · ')}`);
  }

  /** What the browser is given as a file by this press of a button. */
  async downloads(press: () => Promise<void>): Promise<{ readonly name: string; readonly text: string }> {
    const [file] = await Promise.all([this.page.waitForEvent('download'), press()]);
    const chunks: Buffer[] = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer);
    return { name: file.suggestedFilename(), text: Buffer.concat(chunks).toString('utf8') };
  }
}

const focusedLabel = `(() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return '';
  const name = focused.getAttribute('aria-label') ?? focused.labels?.[0]?.textContent ?? focused.textContent ?? '';
  return name.replace(/ \\*$/, '').trim();
})()`;
