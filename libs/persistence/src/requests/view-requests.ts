import type { Page } from '#lib/contracts';
import type { Attributes, ReleasedToken } from '#lib/domain';
import { NaturalBatcher } from '../natural-batcher.js';
import { isUuid } from '../paging.js';
import { anyOf, statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { ListRequests } from './list-requests.js';
import type { ConsumedApproval, RequestFilter, RequestState, RequestView, TimelineRow } from './request.types.js';
import { requestPlace } from './sealed-columns.js';
import { toView, viewColumns, type ViewRow } from './view-row.js';

/** Everything that is read of requests to be shown. */
export class ViewRequests {
  private readonly batcher = new NaturalBatcher<string, RequestView | null>({
    name: 'showing requests',
    run: async (ids) => {
      const views = new Map((await this.select(ids)).map((view) => [view.id, view]));
      return ids.map((id) => views.get(id.toLowerCase()) ?? null);
    },
  });
  private readonly consumptions = new NaturalBatcher<string, ConsumedRow | null>({
    name: 'showing what was used',
    run: async (ids) => {
      const rows = await this.context.sql.rows<ConsumedRow & Record<string, unknown>>(selectConsumed, [ids]);
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
    },
  });

  private readonly lists: ListRequests;

  constructor(private readonly context: StoreContext) {
    this.lists = new ListRequests(context.sql);
  }

  async view(id: string, apiClientId: string | null): Promise<RequestView | null> {
    const view = isUuid(id) ? await this.batcher.run(id) : null;
    return view !== null && (apiClientId === null || view.apiClientId === apiClientId) ? view : null;
  }

  async views(ids: readonly string[]): Promise<RequestView[]> {
    return this.select(ids.filter(isUuid));
  }

  async states(ids: readonly string[]): Promise<RequestState[]> {
    return this.context.sql.rows<RequestState & Record<string, unknown>>(selectStates, [ids.filter(isUuid)]);
  }

  async list(filter: RequestFilter): Promise<Page<RequestView>> {
    return this.lists.page(filter);
  }

  async timeline(id: string, apiClientId: string | null): Promise<TimelineRow[] | null> {
    if (!isUuid(id)) return null;
    const row = await this.context.sql.row<{ entries: { at: string; type: string; detail: TimelineRow['detail'] }[] }>(
      selectTimeline,
      [id, apiClientId],
    );
    return row === null ? null : row.entries.map((entry) => ({ ...entry, at: new Date(entry.at) }));
  }

  async attributes(id: string, apiClientId: string | null): Promise<Attributes | null> {
    if (!isUuid(id)) return null;
    const row = await this.context.sql.row<{ id: string; attributes: Buffer }>(selectAttributes, [id, apiClientId]);
    if (row === null) return null;
    return JSON.parse(this.context.sealing.open(row.attributes, requestPlace('attributes', row.id))) as Attributes;
  }

  async consumed(id: string, apiClientId: string | null): Promise<ConsumedApproval | null> {
    const row = isUuid(id) ? await this.consumptions.run(id) : null;
    if (row === null || (apiClientId !== null && row.api_client_id !== apiClientId)) return null;
    const accessToken =
      row.released_token === null
        ? null
        : toToken(this.context.sealing.open(row.released_token, requestPlace('released_token', row.id)));
    return { consumedAt: row.consumed_at, consumeKey: row.consume_key, accessToken };
  }

  private async select(ids: readonly string[]): Promise<RequestView[]> {
    return (await this.context.sql.rows<ViewRow>(selectViews, [ids])).map(toView);
  }
}

interface ConsumedRow {
  readonly id: string;
  readonly api_client_id: string;
  readonly consumed_at: Date;
  readonly consume_key: string | null;
  readonly released_token: Buffer | null;
}

function toToken(opened: string): ReleasedToken {
  const token = JSON.parse(opened) as ReleasedToken & { expiresAt: string | null };
  return { ...token, expiresAt: token.expiresAt === null ? null : new Date(token.expiresAt) };
}

const selectViews = statement('select_views', `${viewColumns} where r.id = ${anyOf('$1', 'uuid')}`);

const selectStates = statement(
  'select_states',
  /* sql */ `
  select id, status, state_version as "stateVersion", decision_id is not null as decided
  from authorization_requests where id = ${anyOf('$1', 'uuid')}`,
);

const selectTimeline = statement(
  'select_timeline',
  /* sql */ `
  select coalesce((
    select json_agg(json_build_object('at', t.at, 'type', t.type, 'detail', t.detail) order by t.position)
    from request_timeline t where t.request_id = r.id
  ), '[]') as entries
  from authorization_requests r where r.id = $1::uuid and ($2::uuid is null or r.api_client_id = $2)`,
);

const selectAttributes = statement(
  'select_attributes',
  /* sql */ `
  select id, attributes from authorization_requests where id = $1::uuid and ($2::uuid is null or api_client_id = $2)`,
);

const selectConsumed = statement(
  'select_consumed',
  /* sql */ `
  select id, api_client_id, consumed_at, consume_key,
    case when released_token_expires_at is null or released_token_expires_at > clock_timestamp()
      then released_token end as released_token
  from authorization_requests
  where id = ${anyOf('$1', 'uuid')} and consumed_at is not null`,
);
