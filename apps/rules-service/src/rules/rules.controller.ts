import { pageQuery, ruleBody, type PageQuery, type RuleBody } from '#lib/contracts';
import { Database, type RuleRow, type RuleValue } from '#lib/persistence';
import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond } from '../http/answer.js';
import { changedRule, newRule } from './rule-value.js';

/** `/v1/rules`: who is asked, by which provider, with which words. Every change makes a new version. */
@Controller('v1/rules')
export class RulesController {
  private readonly resource: AdminResource<RuleRow, RuleValue, RuleValue, RuleBody>;

  constructor(database: Database) {
    this.resource = new AdminResource({
      noun: 'rule',
      path: '/v1/rules',
      nameMember: 'name',
      store: database.rules,
      show: (row) => ({ ...row.definition, clientCredentials: shownCredentials(row), ...adminMembers(row) }),
      body: ruleBody,
      toBody: (row) => row.definition,
      toChange: changedRule,
    });
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(@Body({ schema: ruleBody }) body: RuleBody, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.create(newRule(body)));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.get(id));
  }

  @Put(':id')
  replace(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: ruleBody }) body: RuleBody,
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
}

function shownCredentials({ definition, clientSecretSetAt }: RuleRow): object {
  const { clientCredentials } = definition;
  if (clientCredentials.type !== 'secret') return clientCredentials;
  return { ...clientCredentials, clientSecretSetAt: clientSecretSetAt?.toISOString() ?? null };
}
