import { deadLettersQuery, replayBody, type DeadLettersQuery, type ReplayBody } from '#lib/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { actingOf } from '../access/acting-of.js';
import { respond } from '../http/answer.js';
import { DropDeadLetter } from './drop-dead-letter.js';
import { ReplayDeadLetters } from './replay-dead-letters.js';
import { ViewDeadLetters } from './view-dead-letters.js';

// Putting all of them back needs no body.
const optionalReplayBody = replayBody.default({});

/** `/v1/dead-letters`: messages between the services that were given up on. */
@Controller('v1/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly view: ViewDeadLetters,
    private readonly replay: ReplayDeadLetters,
    private readonly dropDeadLetter: DropDeadLetter,
  ) {}

  @Get()
  list(@Query({ schema: deadLettersQuery }) query: DeadLettersQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.view.list(query));
  }

  @Post('replay')
  @HttpCode(200)
  replayAll(@Body({ schema: optionalReplayBody }) body: ReplayBody, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.replay.all(body, actingOf(reply)));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.view.one(id));
  }

  @Post(':id/replay')
  @HttpCode(200)
  replayOne(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.replay.one(id, actingOf(reply)));
  }

  @Delete(':id')
  drop(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.dropDeadLetter.run(id, actingOf(reply)));
  }
}
