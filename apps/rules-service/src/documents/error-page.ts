import { problemAdvice, problems, problemsOf, problemType, routes, type ProblemCode } from '#lib/contracts';
import { html, jsonBlock, prose, type Html } from './html.js';
import { page } from './page.js';

/** The catalogue of every problem code. */
export function errorPage(): string {
  const codes = Object.keys(problems) as ProblemCode[];
  const statuses = [...new Set(codes.map((code) => problems[code].status))].sort((a, b) => a - b);
  const groups = statuses.map((status) => ({
    status,
    codes: codes.filter((code) => problems[code].status === status),
  }));
  return page({
    title: 'Errors',
    current: '/docs/errors',
    lead: html`An error is a problem document (RFC 9457, <code>application/problem+json</code>). Programs decide by its
      <code>code</code>, which never changes its meaning; <code>detail</code> tells people what to do.`,
    places: groups.map((group) => ({
      title: String(group.status),
      links: group.codes.map((code) => ({ anchor: code, text: html`${code}` })),
    })),
    content: html` ${jsonBlock({
      type: problemType('invalid_body'),
      title: problems.invalid_body.title,
      status: 422,
      detail: 'Give a name of 1 to 64 characters. at /name',
      code: 'invalid_body',
      errors: [{ pointer: '/name', code: 'too_small', detail: 'Give a name of 1 to 64 characters.' }],
    })}
    ${groups.map(
      (group) =>
        html` <section>
          <h2 id="status-${group.status}">${group.status}</h2>
          ${group.codes.map(
            (code) =>
              html` <article class="problem">
                <h3 id="${code}">
                  <a href="${problemType(code)}"><code>${code}</code></a>
                </h3>
                <p class="line">${problems[code].title}</p>
                ${advice(code)}
              </article>`,
          )}
        </section>`,
    )}`,
  });
}

/** One problem code: where the `type` of a problem document leads; null when there is no such code. */
export function errorCodePage(text: string): string | null {
  if (!Object.hasOwn(problems, text)) return null;
  const code = text as ProblemCode;
  const { status, title } = problems[code];
  const operations = routes.filter((route) => problemsOf(route).includes(code));
  return page({
    title: code,
    current: '/docs/errors',
    lead: html`${title}: HTTP ${status}. One of the codes in the <a href="/docs/errors">error catalogue</a>.`,
    places: [
      {
        title: 'Answered by',
        links: operations.map(({ operationId }) => ({ anchor: operationId, text: html`${operationId}` })),
      },
    ],
    content: html`${advice(code)}
      <h2 id="operations">Answered by</h2>
      ${operations.length === 0 && html`<p>Calls that belong to no operation.</p>`}
      <ul>
        ${operations.map(
          ({ operationId, method, path }) =>
            html`<li id="${operationId}">
              <a href="/docs#${operationId}"><code>${method} ${path}</code></a>
            </li>`,
        )}
      </ul>`,
  });
}

const advice = (code: ProblemCode): Html =>
  html`<dl class="members">
    <div>
      <dt>When</dt>
      <dd>${prose(problemAdvice[code].when)}</dd>
    </div>
    <div>
      <dt>What to do</dt>
      <dd>${prose(problemAdvice[code].remedy)}</dd>
    </div>
  </dl>`;
