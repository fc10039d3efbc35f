/**
 * Prepares the demo of docker compose through the API, as an administrator would: the provider `Sandbox` and the rule
 * `Approve a payment`. What is there already stays as it is.
 */
const { ASSENT_URL: assent, ASSENT_API_KEY: key, ASSENT_SANDBOX_URL: sandbox } = process.env;
if (!assent || !key || !sandbox) throw new Error('ASSENT_URL, ASSENT_API_KEY and ASSENT_SANDBOX_URL must be set.');

async function call(method, path, body) {
  const answer = await fetch(`${assent}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function ensure(path, body) {
  for (let cursor = ''; cursor !== null;) {
    const { data, nextCursor } = await call(
      'GET',
      `${path}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    const found = data.find(({ name }) => name === body.name);
    if (found) return found;
    cursor = nextCursor;
  }
  return call('POST', path, body);
}

const provider = await ensure('/v1/token-providers', { name: 'Sandbox', issuer: sandbox, profile: 'generic' });
const rule = await ensure('/v1/rules', {
  name: 'Approve a payment',
  type: 'one-time-authorization',
  tokenProviderId: provider.id,
  clientId: 'assent-secret',
  clientCredentials: { type: 'secret', clientSecret: 'sandbox-secret-that-everybody-may-know' },
  loginHintAttribute: 'email',
  requestedExpirySeconds: 120,
  bindingMessage: 'Approve the payment {{amount}}',
});
console.log(`The rule "${rule.name}" asks ${provider.issuer}.`);
