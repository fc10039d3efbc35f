import { problemAdvice, problems, type ProblemCode } from '#lib/contracts';
import { html, jsonBlock, prose } from './html.js';
import { page } from './page.js';

/** The catalogue of every problem code: where the `type` of a problem document leads. */
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
      type: '/docs/errors#invalid_body',
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
                  <a href="#${code}"><code>${code}</code></a>
                </h3>
                <p class="line">${problems[code].title}</p>
                <dl class="members">
                  <div>
                    <dt>When</dt>
                    <dd>${prose(problemAdvice[code].when)}</dd>
                  </div>
                  <div>
                    <dt>What to do</dt>
                    <dd>${prose(problemAdvice[code].remedy)}</dd>
                  </div>
                </dl>
              </article>`,
          )}
        </section>`,
    )}`,
  });
}
