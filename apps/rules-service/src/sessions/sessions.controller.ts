import { consoleLoginBody, consoleLoginQuery, type ConsoleLoginBody, type ConsoleLoginQuery } from '#lib/contracts';
import { Database, type Acting, type ConsoleSession } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bootstrapClientId } from '#lib/contracts';
import { respond } from '../http/answer.js';
import { CallSource } from './call-source.js';
import { dropCookie, loginCookie, readCookie, sessionCookie, setCookie, setCookieFor } from './cookies.js';
import { refuseCrossSite } from './cross-site.js';
import { LogInAtProvider, loginLifeSeconds } from './log-in-at-provider.js';
import { OpenAccess } from './open-access.js';
import { SessionAccess } from './session-access.js';
import { hashOfSecret, looksLikeCookieSecret } from './session-secrets.js';
import { sessionDocument, StartSession, type Arrival, type SessionTimes } from './start-session.js';

/** What names the times of sessions to Nest. */
export const sessionTimes = Symbol('session times');

/** `/console/api`: who is logged in at the console, and how to come in and go. */
@Controller('console/api')
export class SessionsController {
  constructor(
    private readonly database: Database,
    private readonly access: SessionAccess,
    private readonly startSession: StartSession,
    private readonly logIn: LogInAtProvider,
    private readonly open: OpenAccess,
    private readonly callSource: CallSource,
    @Inject(sessionTimes) private readonly times: SessionTimes,
  ) {}

  @Get('session')
  async get(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const live = await this.access.find(request);
    if (live !== null) return sessionDocument(live.session, live.role, live.secret, this.times);
    if (!this.open.permits(request)) {
      throw new ProblemError('unauthenticated', 'Nobody is logged in at the console.', {
        login: { oidc: this.logIn.isOffered, key: true },
      });
    }
    refuseCrossSite(request.headers);
    const { secret, document } = await this.startSession.openly(this.arrival(request));
    return respond(reply, { status: 200, headers: { 'set-cookie': setCookie(sessionCookie, secret) }, body: document });
  }

  @Post('session')
  @HttpCode(200)
  async start(
    @Req() request: FastifyRequest,
    @Body({ schema: consoleLoginBody }) { apiKey }: ConsoleLoginBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    refuseCrossSite(request.headers);
    const { secret, document } = await this.startSession.byKey(apiKey, this.arrival(request));
    return respond(reply, { status: 200, headers: { 'set-cookie': setCookie(sessionCookie, secret) }, body: document });
  }

  @Delete('session')
  async end(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const live = await this.access.find(request);
    if (live !== null) {
      this.access.refuseForged(request, live.secret);
      const acting = (session: ConsoleSession) => actingOfSession(session, request.id);
      await this.database.consoleSessions.close(hashOfSecret(live.secret), acting);
    }
    return respond(reply, { status: 204, headers: { 'set-cookie': dropCookie(sessionCookie) } });
  }

  @Get('login')
  async begin(
    @Req() request: FastifyRequest,
    @Query({ schema: consoleLoginQuery }) { returnTo }: ConsoleLoginQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const begun = await this.logIn.begin(returnTo, this.callSource.of(request));
    if ('problem' in begun) return respond(reply, { status: 302, headers: { location: problemPage(begun.problem) } });
    const cookie = setCookieFor(loginCookie, begun.secret, loginLifeSeconds);
    return respond(reply, { status: 302, headers: { location: begun.url, 'set-cookie': cookie } });
  }

  @Get('callback')
  async finish(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const query = request.url.split('?').slice(1).join('?');
    const end = await this.logIn.finish(readCookie(request.headers.cookie, loginCookie), query, this.arrival(request));
    const over = dropCookie(loginCookie);
    if (end.kind === 'problem') {
      void reply.status(302).header('location', problemPage(end.problem)).header('set-cookie', over);
      return;
    }
    void reply.status(302).header('location', end.returnTo);
    void reply.header('set-cookie', [over, setCookie(sessionCookie, end.session.secret)]);
  }

  private arrival(request: FastifyRequest): Arrival {
    const former = readCookie(request.headers.cookie, sessionCookie);
    return {
      source: this.callSource.of(request),
      requestId: request.id,
      former: former !== null && looksLikeCookieSecret(former) ? former : null,
    };
  }
}

const problemPage = (problem: string): string => `/console/login?problem=${problem}`;

/** Who ends a session: its own user. */
function actingOfSession({ via, user }: ConsoleSession, requestId: string): Acting {
  if (via !== 'key') return { actor: { type: 'user', ...user }, requestId };
  return { actor: { type: user.id === bootstrapClientId ? 'bootstrap-key' : 'api-client', id: user.id }, requestId };
}
