import {
  configurationApplyBody,
  configurationDiffBody,
  exportConfigurationQuery,
  pingAccessImportBody,
  type ConfigurationApplyBody,
  type ConfigurationDiff,
  type ConfigurationDiffBody,
  type ConfigurationResult,
  type ExportConfigurationQuery,
  type ExportedConfiguration,
  type PingAccessImport,
  type PingAccessImportBody,
} from '#lib/contracts';
import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { actingOf } from '../access/acting-of.js';
import { ApplyConfiguration } from './apply-configuration.js';
import { ExportConfiguration } from './export-configuration.js';
import { ImportPingAccess } from './import-pingaccess.js';

/** `/v1/configuration`: everything that is administered as one document, shown, compared and applied. */
@Controller('v1/configuration')
export class ConfigurationController {
  constructor(
    private readonly exportConfiguration: ExportConfiguration,
    private readonly applyConfiguration: ApplyConfiguration,
    private readonly importPingAccess: ImportPingAccess,
  ) {}

  @Get()
  export(@Query({ schema: exportConfigurationQuery }) query: ExportConfigurationQuery): Promise<ExportedConfiguration> {
    return this.exportConfiguration.run(query);
  }

  @Post('diff')
  @HttpCode(200)
  diff(
    @Body({ schema: configurationDiffBody }) body: ConfigurationDiffBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConfigurationDiff> {
    return this.applyConfiguration.diff(body, actingOf(reply));
  }

  @Post('apply')
  @HttpCode(200)
  apply(
    @Body({ schema: configurationApplyBody }) body: ConfigurationApplyBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConfigurationResult> {
    return this.applyConfiguration.run(body, actingOf(reply));
  }

  @Post('import/pingaccess')
  @HttpCode(200)
  import(
    @Body({ schema: pingAccessImportBody }) body: PingAccessImportBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PingAccessImport> {
    return this.importPingAccess.run(body, actingOf(reply));
  }
}
