import { randomBytes } from 'node:crypto';
import { ProblemError } from '#lib/runtime';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { respond, type Answer } from '../http/answer.js';
import { consoleAnswer } from './console-answer.js';
import { readConsoleFiles, type ConsoleFiles } from './console-files.js';

/** `/console`: the program that runs in an administrator's browser. It is the same for everybody and holds nothing secret. */
@Controller('console')
export class ConsoleFilesController {
  #files: ConsoleFiles | null = null;

  @Get()
  start(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.answer(request));
  }

  @Get('*')
  file(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.answer(request));
  }

  private answer({ url, headers }: FastifyRequest): Answer<Buffer | string> {
    this.#files ??= readConsoleFiles();
    if (this.#files === null) {
      throw new ProblemError('not_found', 'The console has not been built here. Run `npm run build`.');
    }
    const path = url.replace(/[?#].*$/s, '').replace(/^\/console\/?/, '');
    const acceptEncoding = String(headers['accept-encoding'] ?? '');
    const nonce = randomBytes(18).toString('base64url');
    const answer = consoleAnswer(this.#files, { path, acceptEncoding }, nonce);
    if (answer === null) throw new ProblemError('not_found', 'The console has no such file.');
    return answer;
  }
}
