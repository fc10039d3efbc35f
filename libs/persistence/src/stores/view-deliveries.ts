import type { Delivery } from '#lib/contracts';
import { statement } from '../sql.js';

export interface DeliveryRow {
  readonly id: string;
  readonly webhook_id: string;
  readonly type: Delivery['type'];
  readonly request_id: string | null;
  readonly url: string;
  readonly state: Delivery['state'];
  readonly next_attempt_at: Date | null;
  readonly created_at: Date;
  readonly attempts: { at: string; status: number | null; problem: string | null; durationMs: number }[];
}

export const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  webhookId: row.webhook_id,
  type: row.type,
  authorizationRequestId: row.request_id,
  url: row.url,
  state: row.state,
  attempts: row.attempts.map((attempt) => ({ ...attempt, at: new Date(attempt.at).toISOString() })),
  nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
});

// A notice outlives its deliveries, so there is always a type.
const deliveryColumns = /* sql */ `
  select d.id, coalesce(d.decision_id, d.notice_id) as webhook_id, coalesce('decision.' || n.outcome, w.type) as type,
    d.request_id, coalesce(e.url, d.url) as url, d.state, d.next_attempt_at, d.created_at,
    coalesce((
      select json_agg(json_build_object('at', a.at, 'status', a.status, 'problem', a.problem, 'durationMs', a.duration_ms)
        order by a.position)
      from delivery_attempts a where a.delivery_id = d.id
    ), '[]') as attempts
  from deliveries d
  left join webhook_endpoints e on e.id = d.endpoint_id
  left join decisions n on n.id = d.decision_id
  left join webhook_notices w on w.id = d.notice_id`;

export const selectOfRequest = statement(
  'select_deliveries_of_request',
  `${deliveryColumns} where d.request_id = $1::uuid order by d.created_at, d.id`,
);

// The ids are random, so the page goes on after the creation time and id of the row that the cursor names.
export const selectOfEndpoint = statement(
  'select_deliveries_of_endpoint',
  `${deliveryColumns}
  where d.endpoint_id = $1::uuid and ($4::text is null or d.state = $4)
    and ($2::uuid is null or (d.created_at, d.id) < (select c.created_at, c.id from deliveries c where c.id = $2))
  order by d.created_at desc, d.id desc limit $3::integer`,
);

export const selectDelivery = statement(
  'select_delivery',
  `${deliveryColumns} where d.id = $2::uuid and d.endpoint_id = $1::uuid`,
);
