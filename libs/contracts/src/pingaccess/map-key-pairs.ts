import { configuredKeyPair, type ConfiguredKeyPair } from '../configuration.js';
import { hiddenField, membersOf, textOf } from './export-shape.js';
import { Draft } from './import-draft.js';
import type { MappingContext } from './mapping-context.js';

/** A key pair by the id that rules refer to; those that no rule uses are for the listeners of PingAccess. */
export function mapKeyPair(
  value: unknown,
  index: number,
  used: ReadonlySet<string>,
  { inputs, exists }: MappingContext,
): { readonly id: string; readonly draft: Draft<ConfiguredKeyPair> } {
  const keyPair = membersOf(value);
  const id = textOf(keyPair['id']) ?? `#${index}`;
  const alias = textOf(keyPair['alias']) ?? `Key pair ${id}`;
  const draft = new Draft<ConfiguredKeyPair>('key-pair', alias, `/data/keyPairs/${index}`, exists('key-pair', alias));
  const hsm = textOf(keyPair['hsmProviderId']);
  const pkcs12 = inputs[`keyPairs/${id}/pkcs12`] ?? textOf(keyPair['fileData'])?.replace(/\s+/g, '') ?? null;
  const password = passwordOf(keyPair['password'], inputs[`keyPairs/${id}/password`]);
  if (!used.has(id)) draft.skip('No rule that is imported uses it.');
  else if (hsm !== null && hsm !== '0' && pkcs12 === null) {
    draft.need(`keyPairs/${id}/pkcs12`, 'Its key is in a hardware module: another key pair as PKCS#12 in base64.');
  } else if (pkcs12 === null) {
    draft.need(`keyPairs/${id}/pkcs12`, 'The key and its certificates as PKCS#12, in base64.');
  }
  if (password === null) draft.need(`keyPairs/${id}/password`, 'The password of its PKCS#12 file.');
  draft.complete(configuredKeyPair, { alias, pkcs12, password });
  return { id, draft };
}

function passwordOf(field: unknown, given: string | undefined): string | null {
  if (given !== undefined) return given;
  const hidden = hiddenField(field);
  return hidden?.kind === 'plain' ? hidden.value : null;
}
