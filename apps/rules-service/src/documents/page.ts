import { assentVersion } from '#lib/contracts';
import { html, type Html } from './html.js';

export interface PageParts {
  readonly title: string;
  readonly current: '/console' | '/docs' | '/docs/events' | '/docs/errors';
  readonly lead: Html;
  /** The groups of the navigation beside the text, each with the places in this page. */
  readonly places: ReadonlyArray<{
    readonly title: string;
    readonly links: ReadonlyArray<{ readonly anchor: string; readonly text: Html }>;
  }>;
  readonly content: Html;
}

const pages = [
  ['/console', 'Console'],
  ['/docs', 'HTTP API'],
  ['/docs/events', 'Events'],
  ['/docs/errors', 'Errors'],
] as const;

/** A whole page of the reference: one style sheet, no script, nothing from elsewhere. */
export function page({ title, current, lead, places, content }: PageParts): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Assent</title>
        <link rel="stylesheet" href="/docs/reference.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to the text</a>
        <header>
          <a class="brand" href="/docs">Assent <span>${assentVersion}</span></a>
          <nav aria-label="Pages">
            ${pages.map(
              ([path, name]) => html`<a href="${path}" ${path === current && html` aria-current="page"`}>${name}</a>`,
            )}
          </nav>
        </header>
        <div class="columns">
          <nav class="places" aria-label="On this page">
            ${places.map(
              (group) =>
                html` <details open>
                  <summary>${group.title}</summary>
                  <ul>
                    ${group.links.map((link) => html`<li><a href="#${link.anchor}">${link.text}</a></li>`)}
                  </ul>
                </details>`,
            )}
          </nav>
          <main id="content">
            <h1>${title}</h1>
            <p class="lead">${lead}</p>
            ${content}
          </main>
        </div>
      </body>
    </html> `.text;
}
