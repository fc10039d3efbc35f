import type { ConfiguredTokenProvider } from '#lib/contracts';
import { changesBetween } from '#lib/domain';
import type { TokenProviderRow, TokenProviderValue } from '#lib/persistence';
import { refuseUnusableProvider } from '../token-providers/refuse-unusable-provider.js';
import { asJson, settled, type PlannedChange, type Planning } from './step.js';

/** What makes a token provider what the configuration says. */
export function planTokenProvider(
  body: ConfiguredTokenProvider,
  row: TokenProviderRow | null,
  { database: { tokenProviders }, guard }: Planning,
): PlannedChange {
  const value = refuseUnusableProvider(body, guard);
  return {
    changes: changesBetween(row && viewOf(row), viewOf(value)),
    run: async ({ acting, names }) => {
      const result = await (row === null
        ? tokenProviders.create(value, acting)
        : tokenProviders.update(row.id, row.version, value, acting));
      const { id } = settled(result, 'token provider');
      names.add('token-provider', body.name, id);
      return id;
    },
  };
}

/** As a configuration shows it. */
export const tokenProviderBodyOf = (row: TokenProviderValue): ConfiguredTokenProvider => ({
  name: row.name,
  issuer: row.issuer,
  profile: row.profile,
  metadata: row.metadata,
  trustedCertificates: [...row.trustedCertificates],
});

const viewOf = (value: TokenProviderValue): unknown =>
  asJson({ ...tokenProviderBodyOf(value), trustedCertificates: value.trustedCertificates.map((pem) => pem.trim()) });
