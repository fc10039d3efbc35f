import type { DeliveriesQuery, Delivery, Page } from '#lib/contracts';
import { cursorId, cursorOf, isUuid, pageOf } from '../paging.js';
import type { SealPlace } from '../sealing.js';
import type { StoreContext } from '../store-context.js';
import { callbackSecretPlace } from './api-client.store.js';
import { claimDeliveries, selectNextDue, type ClaimRow } from './claim-deliveries.js';
import { openedSecret, putOff } from './delivery-secrets.js';
import { finishDeliveries, toFinishInput } from './finish-deliveries.js';
import { replayDelivery, replayRange, type ReplayedRow } from './replay-deliveries.js';
import { selectDelivery, selectOfEndpoint, selectOfRequest, toDelivery, type DeliveryRow } from './view-deliveries.js';
import { webhookSecretPlace } from './webhook-endpoint.store.js';
import type { DeliveryResult, DeliveryStore, DeliveryWork, DisabledEndpoint, ReplayRange } from './work.types.js';

/** Deliveries in Postgres: what is due is leased, and what a lease leaves unfinished is due again. */
export class PostgresDeliveryStore implements DeliveryStore {
  constructor(private readonly context: StoreContext) {}

  async claim(options: Parameters<DeliveryStore['claim']>[0]): Promise<DeliveryWork[]> {
    const rows = await this.context.sql.rows<ClaimRow>(claimDeliveries, [
      options.limit,
      options.leaseSeconds,
      options.perTarget ?? options.limit,
      options.exceptTargets ?? [],
    ]);
    const works = rows.map((row) => this.toWork(row));
    // One secret that does not open is a fault of its own: it must not take its neighbours' turn away.
    const closed = rows.filter((_, index) => works[index] === null);
    await this.finish(closed.map(({ id, failed_attempts }) => putOff(id, failed_attempts)));
    return works.filter((work) => work !== null);
  }

  async finish(
    results: readonly DeliveryResult[],
    disableAfterSeconds = 432_000,
  ): Promise<readonly DisabledEndpoint[]> {
    if (results.length === 0) return [];
    const input = JSON.stringify(results.map(toFinishInput));
    return this.context.sql.rows<DisabledEndpoint>(finishDeliveries, [
      input,
      disableAfterSeconds,
      results.map(({ id }) => id),
    ]);
  }

  async nextDueAt(): Promise<Date | null> {
    const row = await this.context.sql.row<{ due_at: Date | null }>(selectNextDue);
    return row?.due_at ?? null;
  }

  async ofRequest(requestId: string): Promise<Delivery[]> {
    if (!isUuid(requestId)) return [];
    return (await this.context.sql.rows<DeliveryRow>(selectOfRequest, [requestId])).map(toDelivery);
  }

  async ofEndpoint(endpointId: string, { limit, cursor, state }: DeliveriesQuery): Promise<Page<Delivery>> {
    if (!isUuid(endpointId)) return { data: [], nextCursor: null };
    const values = [endpointId, cursorId(cursor), limit + 1, state ?? null];
    const rows = await this.context.sql.rows<DeliveryRow>(selectOfEndpoint, values);
    return pageOf(rows.map(toDelivery), limit);
  }

  async find(endpointId: string, id: string): Promise<Delivery | null> {
    if (!isUuid(endpointId) || !isUuid(id)) return null;
    const row = await this.context.sql.row<DeliveryRow>(selectDelivery, [endpointId, id]);
    return row && toDelivery(row);
  }

  async replay(endpointId: string, id: string): Promise<boolean> {
    if (!isUuid(endpointId) || !isUuid(id)) return false;
    return (await this.context.sql.row(replayDelivery, [endpointId, id])) !== null;
  }

  async replayRange(endpointId: string, { since, until, state, cursor, limit }: ReplayRange) {
    const after = cursorId(cursor);
    if (!isUuid(endpointId)) return { replayed: 0, nextCursor: null };
    const values = [endpointId, since, until, state, after, limit];
    const { found, replayed, last_id } = (await this.context.sql.row<ReplayedRow>(replayRange, values))!;
    return { replayed, nextCursor: found > limit && last_id !== null ? cursorOf(last_id) : null };
  }

  /** Null when the secret that counts does not open. */
  private secretsOf(row: ClaimRow): string[] | null {
    const { endpoint_id, endpoint_secret, endpoint_previous_secret, client_id, callback_secret } = row;
    const secrets: string[] = [];
    if (endpoint_id !== null && endpoint_secret !== null) {
      const secret = this.opened(endpoint_secret, webhookSecretPlace(endpoint_id));
      if (secret === null) return null;
      secrets.push(secret);
      const previous = endpoint_previous_secret && webhookSecretPlace(endpoint_id, 'previous_secret');
      // The one that goes out of use is missed by nobody who has the new one.
      const older = previous && this.opened(endpoint_previous_secret, previous);
      if (older !== null) secrets.push(older);
    }
    if (client_id !== null && callback_secret !== null) {
      const secret = this.opened(callback_secret, callbackSecretPlace(client_id));
      if (secret === null) return null;
      secrets.push(secret);
    }
    return secrets;
  }

  private opened(sealed: Buffer, place: SealPlace): string | null {
    return openedSecret(this.context.sealing, sealed, place);
  }

  private toWork(row: ClaimRow): DeliveryWork | null {
    const secrets = this.secretsOf(row);
    if (secrets === null) return null;
    return {
      id: row.id,
      webhookId: row.webhook_id,
      requestId: row.request_id,
      url: row.url,
      body: row.body,
      target: row.target,
      kind: row.kind,
      secrets,
      failedAttempts: row.failed_attempts,
    };
  }
}
