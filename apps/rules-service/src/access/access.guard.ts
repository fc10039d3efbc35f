import type { Scope } from '#lib/contracts';
import { ProblemError } from '#lib/runtime';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SessionAccess } from '../sessions/session-access.js';
import { Authenticate } from './authenticate.js';
import { setCaller } from './caller.js';
import { contractRoute } from './contract-route.js';

/**
 * Lets a call through when the contract's table of routes says so: the scope that it publishes is the scope that is
 * demanded. A route that the table does not have is closed to everybody.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly authenticate: Authenticate,
    private readonly sessions: SessionAccess,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Events come from our own bus.
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const url = request.routeOptions.url ?? '';
    const route = contractRoute(request.method, url);
    if (route === undefined) throw new Error(`The contract does not know the route ${request.method} ${url}.`);
    if (route.scope === null) return true;
    const { authorization } = request.headers;
    // Who names a credential is judged by it alone; a browser sends the cookie of a session by itself.
    const person = authorization === undefined ? await this.sessions.callerOf(request) : null;
    const caller = person ?? (await this.authenticate.run(authorization));
    if (!caller.scopes.has(route.scope)) throw insufficientScope(route.scope);
    setCaller(request, caller);
    return true;
  }
}

const insufficientScope = (scope: Scope): ProblemError =>
  new ProblemError('insufficient_scope', `This needs the scope ${scope}, which the credentials do not have.`, {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  });
