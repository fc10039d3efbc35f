import { Readable } from 'node:stream';
import {
  listAuthorizationRequestsQuery,
  waitQuery,
  type ListAuthorizationRequestsQuery,
  type WaitQuery,
} from '#lib/contracts';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../access/caller.js';
import { respond } from '../http/answer.js';
import { callSignal } from './call-signal.js';
import { GetAuthorizationRequest } from './get-authorization-request.js';
import { GetTimeline } from './get-timeline.js';
import { ListAuthorizationRequests } from './list-authorization-requests.js';
import { StreamAuthorizationRequest } from './stream-authorization-request.js';
import { waitPreference } from './wait-preference.js';

/** `/v1/authorization-requests`: see how it stands, once, in a list, or as it happens. */
@Controller('v1/authorization-requests')
export class AuthorizationRequestViewsController {
  constructor(
    private readonly getAuthorizationRequest: GetAuthorizationRequest,
    private readonly listAuthorizationRequests: ListAuthorizationRequests,
    private readonly getTimeline: GetTimeline,
    private readonly streamAuthorizationRequest: StreamAuthorizationRequest,
  ) {}

  @Get()
  list(
    @Req() request: FastifyRequest,
    @Query({ schema: listAuthorizationRequestsQuery }) query: ListAuthorizationRequestsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.listAuthorizationRequests.run(callerOf(request), query));
  }

  @Get(':id')
  get(
    @Req() request: FastifyRequest,
    @Param('id') id: string,
    @Query({ schema: waitQuery }) { wait }: WaitQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const inquiry = {
      caller: callerOf(request),
      id,
      wait: waitPreference(request.headers['prefer'], wait),
      known: request.headers['if-none-match'],
      signal: callSignal(reply),
    };
    return respond(reply, this.getAuthorizationRequest.run(inquiry));
  }

  @Get(':id/timeline')
  timeline(@Req() request: FastifyRequest, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.getTimeline.run(callerOf(request), id));
  }

  @Get(':id/events')
  async events(@Req() request: FastifyRequest, @Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const lastEventId = request.headers['last-event-id'];
    const events = await this.streamAuthorizationRequest.run({
      caller: callerOf(request),
      id,
      lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
      signal: callSignal(reply),
    });
    if (events === null) return void reply.status(204).send();
    // `x-accel-buffering`: nginx passes events on as they come.
    void reply.headers({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    return void reply.send(Readable.from(events));
  }
}
