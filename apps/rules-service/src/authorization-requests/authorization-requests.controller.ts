import {
  consumeBody,
  submitAuthorizationRequestBody,
  waitQuery,
  type ConsumeBody,
  type SubmitAuthorizationRequestBody,
  type WaitQuery,
} from '#lib/contracts';
import { Body, Controller, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../access/caller.js';
import { respond } from '../http/answer.js';
import { goneSignal } from './call-signal.js';
import { CancelAuthorizationRequest } from './cancel-authorization-request.js';
import { ConsumeAuthorizationRequest } from './consume-authorization-request.js';
import { idempotencyKey } from './idempotency-key.js';
import { SubmitAuthorizationRequest } from './submit-authorization-request.js';
import { traceparentOf } from './traceparent.js';
import { waitPreference } from './wait-preference.js';

// Using an approval needs no body.
const optionalConsumeBody = consumeBody.default({});

/** `/v1/authorization-requests`: ask a person, withdraw the question, use the approval. */
@Controller('v1/authorization-requests')
export class AuthorizationRequestsController {
  constructor(
    private readonly submitAuthorizationRequest: SubmitAuthorizationRequest,
    private readonly cancelAuthorizationRequest: CancelAuthorizationRequest,
    private readonly consumeAuthorizationRequest: ConsumeAuthorizationRequest,
  ) {}

  @Post()
  submit(
    @Req() request: FastifyRequest,
    @Query({ schema: waitQuery }) { wait }: WaitQuery,
    @Body({ schema: submitAuthorizationRequestBody }) body: SubmitAuthorizationRequestBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { headers } = request;
    const submission = {
      caller: callerOf(request),
      body,
      idempotencyKey: idempotencyKey(headers['idempotency-key']),
      traceparent: traceparentOf(headers['traceparent']),
      wait: waitPreference(headers['prefer'], wait),
      signal: goneSignal(reply),
    };
    return respond(reply, this.submitAuthorizationRequest.run(submission));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@Req() request: FastifyRequest, @Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.cancelAuthorizationRequest.run(callerOf(request), id));
  }

  @Post(':id/consume')
  @HttpCode(200)
  consume(
    @Req() request: FastifyRequest,
    @Param('id') id: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: optionalConsumeBody }) body: ConsumeBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const use = {
      caller: callerOf(request),
      id,
      body,
      idempotencyKey: idempotencyKey(key),
      signal: goneSignal(reply),
    };
    return respond(reply, this.consumeAuthorizationRequest.run(use));
  }
}
