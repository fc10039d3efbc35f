import {
  pageQuery,
  ruleBody,
  rulePreviewBody,
  type PageQuery,
  type RuleBody,
  type RulePreviewBody,
} from '#lib/contracts';
import { Database, type Acting, type RuleRow, type RuleValue } from '#lib/persistence';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { actingOf } from '../access/acting-of.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { inProblemTerms } from '../database-problems.js';
import { respond, type Answer } from '../http/answer.js';
import { PreviewRule } from './preview-rule.js';
import { changedRule, newRule, refuseUnknownToProvider, ruleBodyOf } from './rule-value.js';

/** `/v1/rules`: who is asked, by which provider, with which words. Every change makes a new version. */
@Controller('v1/rules')
export class RulesController {
  private readonly resource: AdminResource<RuleRow, RuleValue, RuleValue, RuleBody>;

  constructor(
    private readonly database: Database,
    private readonly previewRule: PreviewRule,
  ) {
    this.resource = new AdminResource({
      noun: 'rule',
      path: '/v1/rules',
      nameMember: 'name',
      store: database.rules,
      show: (row) => ({ ...row.definition, clientCredentials: shownCredentials(row), ...adminMembers(row) }),
      body: ruleBody,
      toBody: (row) => ruleBodyOf(row.definition),
      toChange: async (body, row) => {
        await this.refuseUnknownToProvider(body);
        return changedRule(body, row);
      },
    });
  }

  /** A provider that does not exist is the store's to tell of. */
  private async refuseUnknownToProvider(body: RuleBody): Promise<void> {
    const provider = await inProblemTerms(this.database.tokenProviders.find(body.tokenProviderId));
    if (provider !== null) refuseUnknownToProvider(body, provider.profile);
  }

  private async make(body: RuleBody, acting: Acting): Promise<Answer> {
    await this.refuseUnknownToProvider(body);
    return this.resource.create(newRule(body), acting);
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(@Body({ schema: ruleBody }) body: RuleBody, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.make(body, actingOf(reply)));
  }

  @Post(':id/preview')
  @HttpCode(200)
  preview(@Param('id') id: string, @Body({ schema: rulePreviewBody }) body: RulePreviewBody) {
    return this.previewRule.run(id, body);
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

function shownCredentials({ definition, clientSecretSetAt }: RuleRow): object {
  const { clientCredentials } = definition;
  if (clientCredentials.type !== 'secret') return clientCredentials;
  return { ...clientCredentials, clientSecretSetAt: clientSecretSetAt?.toISOString() ?? null };
}
