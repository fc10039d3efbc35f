/** A piece of HTML that may be put into a page as it is. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

type Value = string | number | Html | null | undefined | false | readonly Value[];

/** A template whose values are escaped, unless they are HTML already; lists are joined, nothing stays nothing. */
export const html = (parts: TemplateStringsArray, ...values: Value[]): Html =>
  new Html(parts.reduce((text, part, index) => text + render(values[index - 1]) + part));

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map((item: Value) => render(item)).join('');
  return value instanceof Html ? value.text : escapeHtml(String(value));
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Text with `code` between backticks. */
export function prose(text: string): Html {
  const parts = text.split('`');
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** JSON to look at, with its names, texts and other values told apart. */
export function jsonBlock(value: unknown): Html {
  const text = JSON.stringify(value, null, 2);
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  const pieces: Value[] = [];
  let last = 0;
  for (const match of text.matchAll(token)) {
    const [whole, quoted, colon] = match;
    pieces.push(text.slice(last, match.index));
    if (quoted !== undefined && colon !== undefined) pieces.push(html`<b>${quoted}</b>`, colon);
    else if (quoted !== undefined) pieces.push(html`<q>${quoted}</q>`);
    else pieces.push(html`<i>${whole}</i>`);
    last = match.index + whole.length;
  }
  pieces.push(text.slice(last));
  return html`<pre tabindex="0"><code>${pieces}</code></pre>`;
}

/** What an address in the page may be called: letters, digits and hyphens. */
export const anchor = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-|-$/g, '');
