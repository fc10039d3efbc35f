import type {
  configurationApplyBody,
  ConfigurationDiff,
  ConfigurationResult,
  ExportedConfiguration,
  PingAccessImport,
  pingAccessImportBody,
} from '#lib/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import { call } from './client.js';

const path = '/v1/configuration';

export type SecretsInExport = 'references' | 'left-out';

/** Everything as one configuration, without secrets. */
export const exportQuery = (secrets: SecretsInExport) =>
  queryOptions({
    queryKey: [path, secrets],
    queryFn: ({ signal }) => call<ExportedConfiguration>('GET', `${path}?secrets=${secrets}`, { signal }),
  });

export type ApplyInput = z.input<typeof configurationApplyBody>;

/** What an apply would change. */
export const useDiff = () =>
  useMutation({
    mutationFn: ({ configuration, prune }: Pick<ApplyInput, 'configuration' | 'prune'>) =>
      call<ConfigurationDiff>('POST', `${path}/diff`, { body: { configuration, prune } }),
  });

/** Whatever is shown may have changed. */
function useRefreshAll() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('/v1/') });
}

/** Makes everything what a configuration says: all of it, or nothing. */
export function useApply() {
  const refresh = useRefreshAll();
  return useMutation({
    mutationFn: (body: ApplyInput) => call<ConfigurationResult>('POST', `${path}/apply`, { body }),
    onSuccess: () => refresh(),
  });
}

/** Imports an export of PingAccess, or tries to. */
export function useImportPingAccess() {
  const refresh = useRefreshAll();
  return useMutation({
    mutationFn: (body: z.input<typeof pingAccessImportBody>) =>
      call<PingAccessImport>('POST', `${path}/import/pingaccess`, { body }),
    onSuccess: ({ dryRun }) => (dryRun ? undefined : refresh()),
  });
}
