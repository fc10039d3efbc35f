import { ProblemError } from '#lib/runtime';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { contractRoute } from './contract-route.js';

/**
 * Refuses what no query of ours has: members that the contract does not name, members given twice, control characters.
 * The values themselves are judged by the schema that the handler declares.
 */
@Injectable()
export class QueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const query = contractRoute(request.method, request.routeOptions.url ?? '')?.query;
    if (query === 'any') return true;
    const known = query?.shape ?? {};
    for (const [name, value] of Object.entries(request.query as Record<string, unknown>)) {
      if (!Object.hasOwn(known, name)) throw refused(name, unknownMember(Object.keys(known)));
      if (Array.isArray(value)) throw refused(name, 'Give it once.');

      if (/[\u0000-\u001F\u007F\uFFFD]/.test(String(value)))
        throw refused(name, 'It has characters that no value has.');
    }
    return true;
  }
}

const unknownMember = (known: readonly string[]): string =>
  known.length === 0 ? 'This address takes no query.' : `Known are ${known.join(', ')}.`;

const refused = (name: string, detail: string): ProblemError =>
  new ProblemError('invalid_parameter', `The query member ${JSON.stringify(name.slice(0, 64))} is refused. ${detail}`, {
    errors: [{ pointer: `/${name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`, code: 'refused', detail }],
  });
