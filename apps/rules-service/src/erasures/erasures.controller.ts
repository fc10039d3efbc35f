import { erasureBody, type ErasureBody } from '#lib/contracts';
import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { actingOf } from '../access/acting-of.js';
import { callerOf } from '../access/caller.js';
import { callSignal } from '../authorization-requests/call-signal.js';
import { respond } from '../http/answer.js';
import { ErasePerson } from './erase-person.js';

/** `/v1/erasures`: takes away whatever names one person. */
@Controller('v1/erasures')
export class ErasuresController {
  constructor(private readonly erasePerson: ErasePerson) {}

  @Post()
  @HttpCode(200)
  erase(
    @Req() request: FastifyRequest,
    @Body({ schema: erasureBody }) body: ErasureBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const order = { caller: callerOf(request), acting: actingOf(reply), body, signal: callSignal(reply) };
    return respond(reply, this.erasePerson.run(order));
  }
}
