import { openApi, problemsOf, problems, routes, routeTags, type Route } from '#lib/contracts';
import { anchor, html, jsonBlock, prose, type Html } from './html.js';
import { page } from './page.js';
import { membersView, schemaAnchor, typeView, type Schema } from './schema-view.js';

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}
type Content = Readonly<
  Record<string, { readonly schema: Schema; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>
>;
interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Answer | { readonly $ref: string }>>;
}
interface Document {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly parameters: Readonly<Record<string, Parameter>>;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

/** The reference of the HTTP API. */
export function referencePage(): string {
  const document = openApi() as unknown as Document;
  const tags = Object.entries(routeTags).map(([tag, meaning]) => ({
    tag,
    meaning,
    routes: routes.filter((route) => route.tag === tag),
  }));
  const schemas = Object.entries(document.components.schemas);
  return page({
    title: 'HTTP API',
    current: '/docs',
    lead: html`${document.info.description} For programs: <a href="/openapi.json">openapi.json</a>.`,
    places: [
      ...tags.map((group) => ({
        title: group.tag,
        links: group.routes.map((route) => ({
          anchor: route.operationId,
          text: html`<span class="method ${route.method.toLowerCase()}">${route.method}</span> ${route.summary}`,
        })),
      })),
      { title: 'Schemas', links: schemas.map(([name]) => ({ anchor: schemaAnchor(name), text: html`${name}` })) },
    ],
    content: html` <section>
        <h2 id="basics">Basics</h2>
        <p>
          Send <code>Authorization: Bearer &lt;API key&gt;</code> and JSON; unknown members are refused. An error is a
          problem document (RFC 9457) whose <code>code</code> stands in the <a href="/docs/errors">error catalogue</a>.
          Lists answer <code>{data, nextCursor}</code>: send <code>nextCursor</code> as <code>cursor</code> for the next
          page. What an administrator can change has an <code>ETag</code>: send it as <code>If-Match</code> so that
          nobody’s change is lost.
        </p>
      </section>
      ${tags.map(
        (group) =>
          html` <section>
            <h2 id="${anchor(group.tag)}">${group.tag}</h2>
            <p>${group.meaning}</p>
            ${group.routes.map((route) => operationView(route, document))}
          </section>`,
      )}
      <section>
        <h2 id="schemas">Schemas</h2>
        ${schemas.map(
          ([name, schema]) =>
            html` <article class="schema">
              <h3 id="${schemaAnchor(name)}">${name}</h3>
              ${schema.description !== undefined && html`<p>${prose(schema.description)}</p>`}${membersView(schema)}
            </article>`,
        )}
      </section>`,
  });
}

function operationView(route: Route, document: Document): Html {
  const operation = document.paths[route.path]![route.method.toLowerCase()]!;
  const parameters = (operation.parameters ?? []).map((parameter) =>
    parameter.$ref === undefined
      ? parameter
      : document.components.parameters[parameter.$ref.slice(parameter.$ref.lastIndexOf('/') + 1)]!,
  );
  const answers = Object.entries(operation.responses).filter(
    (entry): entry is [string, Answer] => !('$ref' in entry[1]),
  );
  const codes = problemsOf(route);
  return html` <article class="operation" id="${route.operationId}">
    <h3><a href="#${route.operationId}">${route.summary}</a></h3>
    <p class="line">
      <span class="method ${route.method.toLowerCase()}">${route.method}</span> <code>${route.path}</code>
      <span class="scope">${route.scope === null ? 'no key needed' : html`scope <code>${route.scope}</code>`}</span>
    </p>
    ${route.description !== undefined && html`<p>${prose(route.description)}</p>`}
    ${
      parameters.length > 0 &&
      html`<h4>Parameters</h4>
        <dl class="members">
          ${parameters.map(
            (parameter) =>
              html` <div>
                <dt>
                  <code>${parameter.name}</code>
                  <span class="type">${parameter.in}, ${typeView(parameter.schema)}</span>${
                    parameter.required === true ? null : html` <span class="optional">optional</span>`
                  }
                </dt>
                <dd>${parameter.description !== undefined && prose(parameter.description)}</dd>
              </div>`,
          )}
        </dl>`
    }
    ${
      operation.requestBody !== undefined &&
      html`<h4>Body</h4>
        ${contentView({ 'application/json': operation.requestBody.content['application/json']! })}`
    }
    <h4>Answers</h4>
    ${answers.map(
      ([status, answer]) =>
        html` <div class="answer">
          <p>
            <span class="status">${status}</span> ${prose(answer.description)}${
              answer.headers !== undefined &&
              html` <span class="headers">${Object.keys(answer.headers).join(', ')}</span>`
            }
          </p>
          ${answer.content !== undefined && contentView(answer.content)}
        </div>`,
    )}
    ${
      codes.length > 0 &&
      html`<p class="codes">
        Problems:
        ${codes.map(
          (code, index) =>
            html`${index > 0 && ' '}<a href="/docs/errors/${code}">${problems[code].status} <code>${code}</code></a>`,
        )}
      </p>`
    }
  </article>`;
}

const contentView = (content: Content): Html =>
  html`${Object.entries(content).map(
    ([mediaType, { schema, examples = {} }]) =>
      html` <p class="media">
          <span class="type">${mediaType}</span> ${schema.properties === undefined ? typeView(schema) : null}
        </p>
        ${schema.properties !== undefined && membersView(schema)}
        ${Object.entries(examples).map(
          ([name, { value }]) =>
            html`<details>
              <summary>Example: ${name.replaceAll('-', ' ')}</summary>
              ${jsonBlock(value)}
            </details>`,
        )}`,
  )}`;
