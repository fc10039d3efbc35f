import { apiClientBody, pageQuery, type ApiClientBody, type PageQuery } from '#lib/contracts';
import { Database, type ApiClientChange, type ApiClientRow, type NewApiClient } from '#lib/persistence';
import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { hashOfKey, newApiKey, newWebhookSecret, prefixOfKey } from '../access/api-key.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond, type Answer } from '../http/answer.js';
import { apiClientChangeBody, apiClientValue, type ApiClientChangeBody } from './api-client-change.js';

/** `/v1/api-clients`: the applications that may call this API. A key is shown once and kept as a hash. */
@Controller('v1/api-clients')
export class ApiClientsController {
  private readonly resource: AdminResource<ApiClientRow, NewApiClient, ApiClientChange, ApiClientChangeBody>;

  constructor(private readonly database: Database) {
    this.resource = new AdminResource({
      noun: 'API client',
      path: '/v1/api-clients',
      nameMember: 'name',
      store: database.apiClients,
      show: (row) => ({
        ...bodyOf(row),
        keyPrefix: row.keyPrefix,
        hasCallbackSecret: row.hasCallbackSecret,
        ...adminMembers(row),
      }),
      body: apiClientChangeBody,
      toBody: bodyOf,
      toChange: (body, current) => apiClientValue(body, current, database.rules),
    });
  }

  private async make({ callbackSecret: wanted, ...body }: ApiClientBody): Promise<Answer> {
    const key = newApiKey();
    const callbackSecret = wanted ? newWebhookSecret() : null;
    const value = await apiClientValue(body, null, this.database.rules);
    const secrets = { keyHash: hashOfKey(key), keyPrefix: prefixOfKey(key), callbackSecret };
    return this.resource.create({ ...value, ...secrets }, { key, callbackSecret });
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(@Body({ schema: apiClientBody }) body: ApiClientBody, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.make(body));
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

const bodyOf = ({ name, scopes, enabled, rules, subjects, requestsPerMinute }: ApiClientRow) => ({
  name,
  scopes,
  enabled,
  rules,
  subjects,
  requestsPerMinute,
});
