import { exchange, type Target } from './exchange.js';
import { ProviderMisconfigured, ProviderUnavailable } from './provider-faults.js';
import type { JsonObject } from './strict-json.js';

const headers = ['accept', 'application/json', 'accept-encoding', 'identity'];

/**
 * Reads a JSON document that a provider publishes.
 *
 * @throws ProviderUnavailable when it may be there later: no answer, 5xx, 429.
 * @throws ProviderMisconfigured when the address holds something else.
 */
export async function fetchDocument(target: Target, timeoutMs: number): Promise<JsonObject> {
  const result = await exchange({ target, headers, body: null, timeoutMs });
  if (result.kind !== 'answered') throw new ProviderUnavailable(`${target.url} cannot be read: ${result.detail}`);
  const { status, body } = result.answer;
  if (status >= 500 || status === 429) throw new ProviderUnavailable(`${target.url} answered ${status}`);
  if (status !== 200 || body === null) {
    throw new ProviderMisconfigured(`${target.url} answered ${status} and no usable JSON document`);
  }
  return body;
}
