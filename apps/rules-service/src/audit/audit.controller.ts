import { auditEventsQuery, pageQuery, type AuditEventsQuery, type PageQuery } from '#lib/contracts';
import { Controller, Get, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { respond } from '../http/answer.js';
import { ViewAuditLog } from './view-audit-log.js';

/** `/v1/audit-events`, `/v1/audit-heads`: who has done what, and the seals that prove it. */
@Controller('v1')
export class AuditController {
  constructor(private readonly viewAuditLog: ViewAuditLog) {}

  @Get('audit-events')
  events(
    @Query({ schema: auditEventsQuery }) query: AuditEventsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.viewAuditLog.events(query));
  }

  @Get('audit-heads')
  heads(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.viewAuditLog.heads(query));
  }
}
