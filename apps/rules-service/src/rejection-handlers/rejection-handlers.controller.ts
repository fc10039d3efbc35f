import { pageQuery, rejectionHandlerBody, type PageQuery, type RejectionHandlerBody } from '#lib/contracts';
import { Database, type RejectionHandlerRow, type RejectionHandlerValue } from '#lib/persistence';
import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { actingOf } from '../access/acting-of.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond } from '../http/answer.js';

/** `/v1/rejection-handlers`: what an application shows when the answer is no. */
@Controller('v1/rejection-handlers')
export class RejectionHandlersController {
  private readonly resource: AdminResource<
    RejectionHandlerRow,
    RejectionHandlerValue,
    RejectionHandlerValue,
    RejectionHandlerBody
  >;

  constructor(database: Database) {
    this.resource = new AdminResource({
      noun: 'rejection handler',
      path: '/v1/rejection-handlers',
      nameMember: 'name',
      store: database.rejectionHandlers,
      show: (row) => ({ ...toBody(row), predefined: row.predefined, ...adminMembers(row) }),
      body: rejectionHandlerBody,
      toBody,
      toChange: toValue,
    });
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(
    @Body({ schema: rejectionHandlerBody }) body: RejectionHandlerBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.create(toValue(body), actingOf(reply)));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.get(id));
  }

  @Put(':id')
  replace(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: rejectionHandlerBody }) body: RejectionHandlerBody,
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
}

const toValue = ({ name, ...definition }: RejectionHandlerBody): RejectionHandlerValue => ({ name, definition });
const toBody = ({ name, definition }: RejectionHandlerRow) => ({ name, ...definition });
