import { apiClientBody, pageQuery, type ApiClientBody, type PageQuery } from '#lib/contracts';
import { Database, type ApiClientChange, type ApiClientRow, type NewApiClient } from '#lib/persistence';
import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { hashOfKey, newApiKey, newWebhookSecret, prefixOfKey } from '../access/api-key.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond } from '../http/answer.js';
import { apiClientChangeBody, type ApiClientChangeBody } from './api-client-change.js';

/** `/v1/api-clients`: the applications that may call this API. A key is shown once and kept as a hash. */
@Controller('v1/api-clients')
export class ApiClientsController {
  private readonly resource: AdminResource<ApiClientRow, NewApiClient, ApiClientChange, ApiClientChangeBody>;

  constructor(database: Database) {
    this.resource = new AdminResource({
      noun: 'API client',
      path: '/v1/api-clients',
      nameMember: 'name',
      store: database.apiClients,
      show: ({ name, scopes, keyPrefix, hasCallbackSecret, ...row }) => ({
        name,
        scopes,
        keyPrefix,
        hasCallbackSecret,
        ...adminMembers(row),
      }),
      body: apiClientChangeBody,
      toBody: ({ name, scopes }) => ({ name, scopes }),
      toChange: ({ name, scopes }) => ({ name, scopes: [...new Set(scopes)] }),
    });
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(@Body({ schema: apiClientBody }) body: ApiClientBody, @Res({ passthrough: true }) reply: FastifyReply) {
    const key = newApiKey();
    const callbackSecret = body.callbackSecret ? newWebhookSecret() : null;
    const value = {
      name: body.name,
      scopes: [...new Set(body.scopes)],
      keyHash: hashOfKey(key),
      keyPrefix: prefixOfKey(key),
      callbackSecret,
    };
    return respond(reply, this.resource.create(value, { key, callbackSecret }));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.get(id));
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
}
