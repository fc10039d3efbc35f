import type { Delivery } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Controller, Get, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf, readsRequestsOf } from '../access/caller.js';
import { noSuchRequest } from './no-such-request.js';

/** `/console/api/authorization-requests/{id}/deliveries`: to whom the decision of a request went, and with what success. */
@Controller('console/api/authorization-requests')
export class RequestDeliveriesController {
  constructor(private readonly database: Database) {}

  @Get(':id/deliveries')
  async list(@Req() request: FastifyRequest, @Param('id') id: string): Promise<{ data: Delivery[] }> {
    const { requests, deliveries } = this.database;
    if ((await requests.view(id, readsRequestsOf(callerOf(request)))) === null) throw noSuchRequest();
    return { data: await deliveries.ofRequest(id) };
  }
}
