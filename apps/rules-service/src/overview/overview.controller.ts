import { overviewQuery, type Overview, type OverviewQuery } from '#lib/contracts';
import { Database } from '#lib/persistence';
import { Controller, Get, Query } from '@nestjs/common';

/** `/console/api/overview`: how Assent is doing, at a glance. */
@Controller('console/api/overview')
export class OverviewController {
  constructor(private readonly database: Database) {}

  @Get()
  get(@Query({ schema: overviewQuery }) { window }: OverviewQuery): Promise<Overview> {
    return this.database.overview.read(window, Date.now());
  }
}
