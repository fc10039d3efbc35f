import { html, prose, type Html } from './html.js';
import { page } from './page.js';

/** One step of administration by the API: what it is for, and the call. */
interface Step {
  readonly anchor: string;
  readonly title: string;
  readonly why: string;
  readonly call: string;
}

const call = (method: string, path: string, body: string): string =>
  [
    `curl -sS -X ${method} "$ASSENT${path}" \\`,
    `  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\`,
    `  -d '${body}'`,
  ].join('\n');

const steps: readonly Step[] = [
  {
    anchor: 'token-provider',
    title: 'Name the token provider',
    why: 'The OpenID Provider that asks people on their phones. Nothing is called yet; the check does that.',
    call: call('POST', '/v1/token-providers', '{"name":"Bank","issuer":"https://id.bank.example"}'),
  },
  {
    anchor: 'rule',
    title: 'Define a rule',
    why: 'Which client asks, how it proves who it is, and which attribute of a request names the person. `openid` is always added to the scopes.',
    call: call(
      'POST',
      '/v1/rules',
      `{
  "name": "Approve a payment", "type": "one-time-authorization", "tokenProviderId": "<id>",
  "clientId": "payments", "clientCredentials": {"type": "secret", "clientSecret": "<secret>"},
  "loginHintAttribute": "email", "bindingMessage": "Pay {{amount}} to {{payee}}", "requestedExpirySeconds": 120
}`,
    ),
  },
  {
    anchor: 'request',
    title: 'Ask for an approval',
    why: 'The answer waits for the decision for up to a minute; without `Prefer` it comes at once and the decision follows.',
    call: [
      `curl -sS "$ASSENT/v1/authorization-requests" \\`,
      `  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -H 'Prefer: wait=60' \\`,
      `  -d '{"rule":"Approve a payment","attributes":{"email":"alice@example.com","amount":"25 EUR"}}'`,
    ].join('\n'),
  },
  {
    anchor: 'consume',
    title: 'Use the approval, once',
    why: 'The second call is refused with `already_consumed`.',
    call: `curl -sS -X POST "$ASSENT/v1/authorization-requests/<id>/consume" -H "Authorization: Bearer $KEY"`,
  },
];

const places: ReadonlyArray<readonly [address: string, text: string]> = [
  ['/docs', 'Every call of the API, with examples'],
  ['/docs/events', 'The events that subscribers receive'],
  ['/docs/errors', 'Every problem code, and what to do about it'],
  ['/health/ready', 'Is this instance ready, and if not, why'],
  ['/metrics', 'Metrics for Prometheus'],
  ['/.well-known/jwks.json', 'The keys that verify receipts and callbacks'],
];

/**
 * The page at `/console`: where everything is, and how to administer by the API. It asks for no login because it shows
 * nothing that is stored.
 */
export function consolePage(): string {
  return page({
    title: 'Console',
    current: '/console',
    lead: html`Assent is administered by its API; this page shows the way. Set your address and key as two variables,
    and put your own values where the calls have angle brackets or example names.`,
    places: [
      {
        title: 'First steps',
        links: steps.map((step) => ({ anchor: step.anchor, text: html`${step.title}` })),
      },
      { title: 'This instance', links: [{ anchor: 'places', text: html`Where things are` }] },
    ],
    content: html`${block('export ASSENT=http://127.0.0.1:3000 KEY=<your API key>')}
      ${steps.map(
        (step) =>
          html` <article>
            <h2 id="${step.anchor}">${step.title}</h2>
            <p>${prose(step.why)}</p>
            ${block(step.call)}
          </article>`,
      )}
      <section>
        <h2 id="places">Where things are</h2>
        <dl class="members">
          ${places.map(
            ([address, text]) =>
              html` <div>
                <dt><a href="${address}">${address}</a></dt>
                <dd>${text}</dd>
              </div>`,
          )}
        </dl>
      </section>`,
  });
}

const block = (text: string): Html => html`<pre tabindex="0"><code>${text}</code></pre>`;
