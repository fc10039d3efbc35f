import {
  apiClientBody,
  pageQuery,
  rotatedKeyLifeDays,
  rotateKeyBody,
  type ApiClientBody,
  type PageQuery,
  type RotateKeyBody,
} from '#lib/contracts';
import { Database, type Acting, type ApiClientChange, type ApiClientRow, type NewApiClient } from '#lib/persistence';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { hashOfKey, newApiKey, newWebhookSecret, prefixOfKey } from '../access/api-key.js';
import { actingOf } from '../access/acting-of.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond, type Answer } from '../http/answer.js';
import { apiClientChangeBody, apiClientValue, type ApiClientChangeBody } from './api-client-change.js';

// A rotation at once needs no body.
const optionalRotateKeyBody = rotateKeyBody.default(rotateKeyBody.parse({}));

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
        previousKey: row.previousKey && { ...row.previousKey, expiresAt: row.previousKey.expiresAt.toISOString() },
        lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
        hasCallbackSecret: row.hasCallbackSecret,
        ...adminMembers(row),
      }),
      body: apiClientChangeBody,
      toBody: bodyOf,
      toChange: (body, current) => apiClientValue(body, current, database.rules),
    });
  }

  private async make({ callbackSecret: wanted, ...body }: ApiClientBody, acting: Acting): Promise<Answer> {
    const key = newApiKey();
    const callbackSecret = wanted ? newWebhookSecret() : null;
    const value = await apiClientValue(body, null, this.database.rules);
    const secrets = { keyHash: hashOfKey(key), keyPrefix: prefixOfKey(key), callbackSecret };
    return this.resource.create({ ...value, ...secrets }, acting, { key, callbackSecret });
  }

  private async rotated(id: string, body: RotateKeyBody, acting: Acting): Promise<Answer> {
    const { overlapSeconds, expiresAt } = body;
    const key = newApiKey();
    const made = { keyHash: hashOfKey(key), keyPrefix: prefixOfKey(key), overlapSeconds };
    await this.database.apiClients.rotateKey(id, { ...made, expiresAt: endOfRotatedKey(expiresAt) }, acting);
    const answer = await this.resource.get(id);
    return { ...answer, body: { ...(answer.body as object), key } };
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(@Body({ schema: apiClientBody }) body: ApiClientBody, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.make(body, actingOf(reply)));
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
    return respond(reply, this.resource.merge(id, ifMatch, patch, actingOf(reply)));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  rotate(
    @Param('id') id: string,
    @Body({ schema: optionalRotateKeyBody }) body: RotateKeyBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.rotated(id, body, actingOf(reply)));
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

// A rotation that names no end must not make of a key that ended one that never does.
function endOfRotatedKey(expiresAt: RotateKeyBody['expiresAt']): Date | null {
  if (expiresAt === null) return null;
  return new Date(expiresAt ?? Date.now() + rotatedKeyLifeDays * 86_400_000);
}

const bodyOf = ({ expiresAt, oauthClient, ...row }: ApiClientRow) => ({
  name: row.name,
  scopes: row.scopes,
  enabled: row.enabled,
  rules: row.rules,
  subjects: row.subjects,
  requestsPerMinute: row.requestsPerMinute,
  expiresAt: expiresAt?.toISOString() ?? null,
  oauthClient,
});
