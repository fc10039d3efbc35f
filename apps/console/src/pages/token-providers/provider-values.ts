import type { TokenProvider, tokenProviderBody } from '#lib/contracts';
import type { z } from 'zod';

export type ProviderInput = z.input<typeof tokenProviderBody>;

/** A token provider as its form holds it. */
export interface ProviderValues {
  name: string;
  issuer: string;
  profile: string;
  /** Whether the metadata is discovered or written by hand. */
  source: 'discovery' | 'explicit';
  metadata: string;
  trustedCertificates: string;
}

export const newProviderValues: ProviderValues = {
  name: '',
  issuer: '',
  profile: 'generic',
  source: 'discovery',
  metadata: '',
  trustedCertificates: '',
};

export const providerValuesOf = (provider: TokenProvider): ProviderValues => ({
  name: provider.name,
  issuer: provider.issuer,
  profile: provider.profile,
  source: provider.metadata === null ? 'discovery' : 'explicit',
  metadata: provider.metadata === null ? '' : JSON.stringify(provider.metadata, null, 2),
  trustedCertificates: provider.trustedCertificates.join('\n'),
});

const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates in a text; what is no certificate is one entry, for the schema to refuse. */
function certificatesOf(text: string): string[] {
  const found = text.match(pem) ?? [];
  const rest = text.replace(pem, '').trim();
  return rest === '' ? found : [...found, rest];
}

function metadataOf(text: string): ProviderInput['metadata'] {
  try {
    return JSON.parse(text) as ProviderInput['metadata'];
  } catch {
    return text as unknown as ProviderInput['metadata'];
  }
}

/** The body that the form's values make. */
export const providerBodyOf = (values: ProviderValues): ProviderInput => ({
  name: values.name,
  issuer: values.issuer.trim(),
  profile: values.profile as ProviderInput['profile'],
  metadata: values.source === 'explicit' ? metadataOf(values.metadata) : null,
  trustedCertificates: certificatesOf(values.trustedCertificates),
});

/** The field that shows a member of the body. */
export function providerField(pointer: string): string | null {
  const member = pointer.split('/')[1] ?? '';
  return Object.hasOwn(newProviderValues, member) ? member : null;
}
