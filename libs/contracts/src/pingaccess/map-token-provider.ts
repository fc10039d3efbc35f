import { configuredTokenProvider, type ConfiguredTokenProvider } from '../configuration.js';
import type { TokenProviderBody } from '../token-providers.http.js';
import { listOf, membersOf, textOf, type Members } from './export-shape.js';
import { Draft } from './import-draft.js';
import type { MappingContext } from './mapping-context.js';

interface ProviderType {
  readonly type: string;
  /** The sections that describe such a provider. */
  readonly section: RegExp;
  readonly profile: TokenProviderBody['profile'];
  readonly name: string;
}

const providerTypes: readonly ProviderType[] = [
  { type: 'PingFederate', section: /^pingfederate/i, profile: 'pingfederate', name: 'PingFederate' },
  { type: 'PingOneForCustomers', section: /^pingone/i, profile: 'pingone', name: 'PingOne' },
  { type: 'Common', section: /oidc|common/i, profile: 'generic', name: 'Token provider' },
];

/** The one token provider that all rules of a PingAccess ask. */
export function mapTokenProvider(data: Members, { inputs, exists }: MappingContext): Draft<ConfiguredTokenProvider> {
  const said = textOf(membersOf(data['tokenProvider'])['type']);
  const candidates = providerTypes
    .flatMap((type) => Object.keys(data).map((section) => ({ type, section })))
    .filter(({ type, section }) => type.section.test(section) && textOf(membersOf(data[section])['issuer']) !== null);
  const chosen = candidates.find(({ type }) => type.type === said) ?? (said === null ? candidates[0] : undefined);
  const type = chosen?.type ?? providerTypes.find((one) => one.type === said) ?? providerTypes[2]!;
  const settings = membersOf(chosen === undefined ? null : data[chosen.section]);
  const name = (textOf(settings['name']) ?? type.name).slice(0, 64);
  const draft = new Draft<ConfiguredTokenProvider>(
    'token-provider',
    name,
    chosen === undefined ? '/data/tokenProvider' : `/data/${chosen.section}`,
    exists('token-provider', name),
  );
  const issuer = inputs['tokenProvider/issuer'] ?? textOf(settings['issuer']);
  if (issuer === null) draft.need('tokenProvider/issuer', 'The issuer of the token provider, exactly as it writes it.');
  draft.complete(configuredTokenProvider, {
    name,
    issuer,
    profile: type.profile,
    trustedCertificates: trustedCertificates(data, settings, draft),
  });
  return draft;
}

/** The certificates of the group that the provider trusts, as far as the export holds them. */
function trustedCertificates(data: Members, settings: Members, draft: Draft<unknown>): string[] {
  const groupId = textOf(settings['trustedCertificateGroupId']);
  if (groupId === null || groupId === '0') return [];
  const groups = [...listOf(data['trustedCertGroups']), ...listOf(data['trustedCertificateGroups'])].map(membersOf);
  const ids = listOf(groups.find((group) => textOf(group['id']) === groupId)?.['certIds']).map(textOf);
  const files = listOf(data['trustedCerts'])
    .map(membersOf)
    .filter((certificate) => ids.includes(textOf(certificate['id'])))
    .flatMap((certificate) => certificateOf(textOf(certificate['fileData'])) ?? []);
  if (files.length < Math.max(1, ids.length)) {
    draft.note('Not all certificates that PingAccess trusts here are in the export: add them to trustedCertificates.');
  }
  return files;
}

/** A certificate in PEM out of a file in base64, which may be PEM or DER. */
function certificateOf(base64: string | null): string | null {
  if (base64 === null) return null;
  const compact = base64.replace(/\s+/g, '');
  try {
    const bytes = atob(compact);
    if (bytes.includes('-----BEGIN CERTIFICATE-----')) return bytes;
    const lines = compact.match(/.{1,64}/g) ?? [];
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  } catch {
    return null;
  }
}
