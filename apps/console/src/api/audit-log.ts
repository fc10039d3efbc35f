import type { AuditEvent, Page } from '#lib/contracts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { call } from './client.js';

/** Which events are listed; what is empty does not count. */
export interface AuditFilters {
  readonly actor: string;
  readonly action: string;
  readonly resource: string;
  readonly since: string;
  readonly until: string;
  readonly cursor: string;
}

/** A page of the audit log, newest first. */
export const useAuditLog = (filters: AuditFilters) =>
  useQuery({
    queryKey: ['/v1/audit-events', filters],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams([
        ['limit', '50'],
        ...Object.entries(filters).filter(([, value]) => value !== ''),
      ]);
      return call<Page<AuditEvent>>('GET', `/v1/audit-events?${query.toString()}`, { signal });
    },
    placeholderData: keepPreviousData,
  });
