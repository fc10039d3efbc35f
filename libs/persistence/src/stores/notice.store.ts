import type { Notice } from '#lib/contracts';
import type { PoolClient } from 'pg';
import { v7 as uuid } from 'uuid';
import { isUuid } from '../paging.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { NoticeStore, TestResult } from './work.types.js';

/** Notices in Postgres; each is written together with its deliveries. */
export class PostgresNoticeStore implements NoticeStore {
  constructor(private readonly context: StoreContext) {}

  async tell(notice: Notice): Promise<void> {
    await this.context.sql.rows(publish, noticeValues(notice));
  }

  async test(endpointId: string): Promise<TestResult> {
    if (!isUuid(endpointId)) return { kind: 'not-found' };
    const values = [...noticeValues({ type: 'test.ping', data: { endpointId } }), endpointId];
    const row = await this.context.sql.row<{ enabled: boolean; delivery_id: string | null }>(publishTest, values);
    if (row === null) return { kind: 'not-found' };
    return row.delivery_id === null ? { kind: 'disabled' } : { kind: 'sent', deliveryId: row.delivery_id };
  }
}

/** Writes a notice and its deliveries in the transaction of the caller. */
export async function publishNotice(client: PoolClient, notice: Notice): Promise<void> {
  await client.query(publish.text, noticeValues(notice));
}

const noticeValues = ({ type, data }: Notice) => [uuid(), type, JSON.stringify(data)];

/** What a delivery of a notice to an endpoint is; `notice` and `endpoint` are aliases. */
export const noticeDelivery = (notice: string, endpoint: string) => /* sql */ `
  insert into deliveries (notice_id, kind, endpoint_id, url, target, next_attempt_at)
  select ${notice}.id, 'webhook', ${endpoint}.id, ${endpoint}.url, ${endpoint}.id::text, clock_timestamp()`;

const publish = statement(
  'publish_notice',
  /* sql */ `
  with notice as (
    insert into webhook_notices (id, type, data) values ($1::uuid, $2::text, $3::json) returning id, type
  )
  ${noticeDelivery('notice', 'e')} from notice join webhook_endpoints e on e.enabled and notice.type = any(e.events)`,
);

const publishTest = statement(
  'publish_test_notice',
  /* sql */ `
  with endpoint as (
    select id, url, enabled from webhook_endpoints where id = $4::uuid
  ), notice as (
    insert into webhook_notices (id, type, data) select $1::uuid, $2::text, $3::json from endpoint where enabled returning id
  ), sent as (
    ${noticeDelivery('notice', 'endpoint')} from notice cross join endpoint returning id
  )
  select endpoint.enabled, sent.id as delivery_id from endpoint left join sent on true`,
);
