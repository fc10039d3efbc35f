import { asyncApi } from '#lib/contracts';
import { anchor, html, jsonBlock, prose, type Html } from './html.js';
import { page } from './page.js';
import { membersView, schemaAnchor, typeView, type Schema } from './schema-view.js';

interface Message {
  readonly name: string;
  readonly title: string;
  /** An envelope and what it holds; of a notice, the body. */
  readonly payload: { readonly allOf?: readonly [Schema, Schema] } & Schema;
  readonly examples?: ReadonlyArray<{ readonly payload: unknown }>;
}
interface Document {
  readonly info: { readonly description: string };
  readonly channels: Readonly<
    Record<
      string,
      { readonly title: string; readonly description: string; readonly messages: Readonly<Record<string, unknown>> }
    >
  >;
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

/** The catalogue of every event on the broker, and of the notices to webhook endpoints. */
export function eventPage(): string {
  const document = asyncApi() as unknown as Document;
  const channels = Object.values(document.channels).reverse();
  const schemas = Object.entries(document.components.schemas);
  const messages = Object.values(document.components.messages);
  const envelope = messages.find(({ payload }) => payload.allOf !== undefined)!.payload.allOf![0];
  return page({
    title: 'Events',
    current: '/docs/events',
    lead: html`${prose(document.info.description)} For programs: <a href="/asyncapi.json">asyncapi.json</a>.`,
    places: [
      ...channels.map((channel) => ({
        title: channel.title,
        links: Object.keys(channel.messages).map((name) => ({ anchor: anchor(name), text: html`${name}` })),
      })),
      {
        title: 'Schemas',
        links: [
          { anchor: 'envelope', text: html`The envelope` },
          ...schemas.map(([name]) => ({ anchor: schemaAnchor(name), text: html`${name}` })),
        ],
      },
    ],
    content: html` ${channels.map(
        (channel) =>
          html` <section>
            <h2 id="${anchor(channel.title)}">${channel.title}</h2>
            <p>${prose(channel.description)}</p>
            ${Object.keys(channel.messages).map((name) => messageView(document.components.messages[name]!))}
          </section>`,
      )}
      <section>
        <h2 id="schemas">Schemas</h2>
        <article class="schema">
          <h3 id="envelope">The envelope</h3>
          <p>CloudEvents 1.0.</p>
          ${membersView(envelope)}
        </article>
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

const dataOf = (payload: Message['payload']): Schema => (payload.allOf?.[1] ?? payload).properties?.['data'] ?? {};

const messageView = ({ name, title, payload, examples = [] }: Message): Html =>
  html` <article class="operation" id="${anchor(name)}">
    <h3><a href="#${anchor(name)}">${name}</a></h3>
    <p class="line">type <code>${title}</code> · data ${typeView(dataOf(payload))}</p>
    ${examples.map(
      (example) =>
        html`<details>
          <summary>Example</summary>
          ${jsonBlock(example.payload)}
        </details>`,
    )}
  </article>`;
