import {
  pageQuery,
  tokenProviderBody,
  type PageQuery,
  type ProviderCheck,
  type TokenProviderBody,
} from '#lib/contracts';
import { Database, type TokenProviderRow, type TokenProviderValue } from '#lib/persistence';
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
import { actingOf } from '../access/acting-of.js';
import { adminMembers } from '../admin/admin-members.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond } from '../http/answer.js';
import { outboundGuard } from '../outbound-guard.token.js';
import { CheckTokenProvider } from './check-token-provider.js';
import { ProviderAlerts } from './provider-alerts.js';
import { refuseUnusableProvider } from './refuse-unusable-provider.js';

/** `/v1/token-providers`: the OpenID Providers that ask people on their devices. Creating one calls nobody. */
@Controller('v1/token-providers')
export class TokenProvidersController {
  private readonly resource: AdminResource<TokenProviderRow, TokenProviderValue, TokenProviderValue, TokenProviderBody>;

  private readonly alerts: ProviderAlerts;

  constructor(
    database: Database,
    private readonly checkTokenProvider: CheckTokenProvider,
    @Inject(outboundGuard) private readonly guard: OutboundGuard,
  ) {
    this.alerts = new ProviderAlerts(database.clientRefusals);
    this.resource = new AdminResource({
      noun: 'token provider',
      path: '/v1/token-providers',
      nameMember: 'name',
      store: database.tokenProviders,
      show: (row) => ({ ...toBody(row), discovery: toDiscovery(row), ...adminMembers(row) }),
      body: tokenProviderBody,
      toBody,
      toChange: (body) => refuseUnusableProvider(body, guard),
    });
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.alerts.inPage(this.resource.list(query)));
  }

  @Post()
  create(
    @Body({ schema: tokenProviderBody }) body: TokenProviderBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(
      reply,
      this.alerts.in(this.resource.create(refuseUnusableProvider(body, this.guard), actingOf(reply))),
    );
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.alerts.in(this.resource.get(id)));
  }

  @Put(':id')
  replace(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: tokenProviderBody }) body: TokenProviderBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.alerts.in(this.resource.replace(id, ifMatch, body, actingOf(reply))));
  }

  @Patch(':id')
  merge(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: mergePatchBody }) patch: object,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.alerts.in(this.resource.merge(id, ifMatch, patch, actingOf(reply))));
  }

  @Delete(':id')
  delete(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.delete(id, ifMatch, actingOf(reply)));
  }

  @Post(':id/check')
  @HttpCode(200)
  check(@Param('id') id: string): Promise<ProviderCheck> {
    return this.checkTokenProvider.run(id);
  }
}

const toBody = (row: TokenProviderRow): TokenProviderBody => ({
  name: row.name,
  issuer: row.issuer,
  profile: row.profile,
  metadata: row.metadata,
  trustedCertificates: [...row.trustedCertificates],
});

const toDiscovery = ({ discovery }: TokenProviderRow) => ({
  state: discovery.state,
  checkedAt: discovery.checkedAt?.toISOString() ?? null,
  problem: discovery.problem,
});
