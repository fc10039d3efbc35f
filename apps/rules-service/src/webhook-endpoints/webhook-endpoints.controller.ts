import {
  deliveriesQuery,
  pageQuery,
  replayDeliveriesBody,
  rotateSecretBody,
  webhookEndpointBody,
  type DeliveriesQuery,
  type PageQuery,
  type ReplayDeliveriesBody,
  type RotateSecretBody,
  type WebhookEndpointBody,
} from '#lib/contracts';
import {
  Database,
  type Acting,
  type NewWebhookEndpoint,
  type WebhookEndpointChange,
  type WebhookEndpointRow,
} from '#lib/persistence';
import type { OutboundGuard } from '#lib/runtime';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { newWebhookSecret } from '../access/api-key.js';
import { actingOf } from '../access/acting-of.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond, type Answer } from '../http/answer.js';
import { refuseAddress } from '../http/refuse-address.js';
import { outboundGuard } from '../outbound-guard.token.js';
import { ListDeliveries } from './list-deliveries.js';
import { ReplayDeliveries } from './replay-deliveries.js';
import { SendTestEvent } from './send-test-event.js';
import { noSuchEndpoint } from './webhook-problems.js';

// A rotation with the usual overlap needs no body.
const optionalRotateSecretBody = rotateSecretBody.default(rotateSecretBody.parse({}));

/** `/v1/webhook-endpoints`: addresses that are told decisions and notices. */
@Controller('v1/webhook-endpoints')
export class WebhookEndpointsController {
  private readonly resource: AdminResource<
    WebhookEndpointRow,
    NewWebhookEndpoint,
    WebhookEndpointChange,
    WebhookEndpointBody
  >;

  constructor(
    private readonly database: Database,
    private readonly listDeliveries: ListDeliveries,
    private readonly replayDeliveries: ReplayDeliveries,
    private readonly sendTestEvent: SendTestEvent,
    @Inject(outboundGuard) private readonly guard: OutboundGuard,
  ) {
    this.resource = new AdminResource({
      noun: 'webhook endpoint',
      path: '/v1/webhook-endpoints',
      nameMember: 'name',
      store: database.webhookEndpoints,
      show,
      body: webhookEndpointBody,
      toBody,
      toChange: (body) => this.permitted(body),
    });
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(
    @Body({ schema: webhookEndpointBody }) body: WebhookEndpointBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const secret = newWebhookSecret();
    return respond(reply, this.resource.create({ ...this.permitted(body), secret }, actingOf(reply), { secret }));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.get(id));
  }

  @Put(':id')
  replace(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: webhookEndpointBody }) body: WebhookEndpointBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.replace(id, ifMatch, body, actingOf(reply)));
  }

  @Patch(':id')
  merge(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: mergePatchBody }) patch: object,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.merge(id, ifMatch, patch, actingOf(reply)));
  }

  @Delete(':id')
  delete(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.delete(id, ifMatch, actingOf(reply)));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  rotate(
    @Param('id') id: string,
    @Body({ schema: optionalRotateSecretBody }) body: RotateSecretBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.rotated(id, body, actingOf(reply)));
  }

  @Post(':id/test')
  @HttpCode(202)
  test(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(
      reply,
      this.ordered(reply, 'webhook-endpoint.test-ordered', id).then(() => this.sendTestEvent.run(id)),
    );
  }

  @Get(':id/deliveries')
  deliveries(
    @Param('id') id: string,
    @Query({ schema: deliveriesQuery }) query: DeliveriesQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.listDeliveries.run(id, query));
  }

  @Get(':id/deliveries/:deliveryId')
  delivery(
    @Param('id') id: string,
    @Param('deliveryId') deliveryId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.listDeliveries.one(id, deliveryId));
  }

  @Post(':id/deliveries/replay')
  @HttpCode(202)
  replayAll(
    @Param('id') id: string,
    @Body({ schema: replayDeliveriesBody }) body: ReplayDeliveriesBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(
      reply,
      this.ordered(reply, 'webhook-endpoint.replay-ordered', id).then(() => this.replayDeliveries.run(id, body)),
    );
  }

  @Post(':id/deliveries/:deliveryId/replay')
  @HttpCode(202)
  replay(
    @Param('id') id: string,
    @Param('deliveryId') deliveryId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(
      reply,
      this.ordered(reply, 'webhook-endpoint.replay-ordered', id, { deliveryId }).then(() =>
        this.replayDeliveries.one(id, deliveryId),
      ),
    );
  }

  /** Ahead of what is ordered: that something was sent again is no row of its own. */
  private ordered(reply: FastifyReply, action: string, id: string, detail: object | null = null): Promise<void> {
    const resource = { type: 'webhook-endpoint', id, name: null };
    return this.database.audit.record(actingOf(reply), { action, resource, detail: detail && { ...detail } });
  }

  private async rotated(id: string, { overlapSeconds }: RotateSecretBody, acting: Acting): Promise<Answer> {
    const secret = newWebhookSecret();
    const row = await this.database.webhookEndpoints.rotateSecret(id, secret, overlapSeconds, acting);
    if (row === null) throw noSuchEndpoint();
    const answer = await this.resource.get(id);
    return { ...answer, body: { ...(answer.body as object), secret } };
  }

  private permitted(body: WebhookEndpointBody): WebhookEndpointBody {
    refuseAddress(this.guard, body.url, '/url');
    return { ...body, events: [...new Set(body.events)] };
  }
}

const show = (row: WebhookEndpointRow) => ({
  ...toBody(row),
  disabledReason: row.disabledReason,
  disabledAt: row.disabledAt?.toISOString() ?? null,
  failingSince: row.failingSince?.toISOString() ?? null,
  previousSecretUntil: row.previousSecretUntil?.toISOString() ?? null,
  ...adminMembers(row),
});

const toBody = ({ name, url, events, description, enabled }: WebhookEndpointRow): WebhookEndpointBody => ({
  name,
  url,
  events: [...events],
  description,
  enabled,
});
