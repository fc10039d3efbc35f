import { pageQuery, webhookEndpointBody, type PageQuery, type WebhookEndpointBody } from '#lib/contracts';
import {
  Database,
  type NewWebhookEndpoint,
  type WebhookEndpointChange,
  type WebhookEndpointRow,
} from '#lib/persistence';
import type { OutboundGuard } from '#lib/runtime';
import { Body, Controller, Delete, Get, Headers, Inject, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { newWebhookSecret } from '../access/api-key.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond } from '../http/answer.js';
import { refuseAddress } from '../http/refuse-address.js';
import { outboundGuard } from '../outbound-guard.token.js';
import { ListDeliveries } from './list-deliveries.js';

/** `/v1/webhook-endpoints`: addresses that are told every decision. */
@Controller('v1/webhook-endpoints')
export class WebhookEndpointsController {
  private readonly resource: AdminResource<
    WebhookEndpointRow,
    NewWebhookEndpoint,
    WebhookEndpointChange,
    WebhookEndpointBody
  >;

  constructor(
    database: Database,
    private readonly listDeliveries: ListDeliveries,
    @Inject(outboundGuard) private readonly guard: OutboundGuard,
  ) {
    this.resource = new AdminResource({
      noun: 'webhook endpoint',
      path: '/v1/webhook-endpoints',
      nameMember: 'url',
      store: database.webhookEndpoints,
      show: (row) => ({ ...toBody(row), ...adminMembers(row) }),
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
    return respond(reply, this.resource.create({ ...this.permitted(body), secret }, { secret }));
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
    return respond(reply, this.resource.replace(id, ifMatch, body));
  }

  @Patch(':id')
  merge(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: mergePatchBody }) patch: object,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.merge(id, ifMatch, patch));
  }

  @Delete(':id')
  delete(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.delete(id, ifMatch));
  }

  @Get(':id/deliveries')
  deliveries(
    @Param('id') id: string,
    @Query({ schema: pageQuery }) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.listDeliveries.run(id, query));
  }

  private permitted(body: WebhookEndpointBody): WebhookEndpointBody {
    refuseAddress(this.guard, body.url, '/url');
    return { ...body, events: [...new Set(body.events)] };
  }
}

const toBody = ({ url, events, description, enabled }: WebhookEndpointRow): WebhookEndpointBody => ({
  url,
  events: [...events],
  description,
  enabled,
});
