import { ProblemError } from '#lib/runtime';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { contractRoute } from './contract-route.js';

/** What no text of ours has, and no column can hold. */
const unfit = /[\u0000-\u001F\u007F\uFFFD]/;

/**
 * Refuses what no address of ours has: control characters, and in the query members that the contract does not name or
 * that are given twice. The values themselves are judged by the schema that the handler declares.
 */
@Injectable()
export class AddressGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const params = Object.values(request.params as Record<string, string>);
    if (params.some((value) => unfit.test(value)))
      throw new ProblemError('not_found', 'There is nothing at this address.');
    const query = contractRoute(request.method, request.routeOptions.url ?? '')?.query;
    if (query === 'any') return true;
    const known = query?.shape ?? {};
    for (const [name, value] of Object.entries(request.query as Record<string, unknown>)) {
      if (!Object.hasOwn(known, name)) throw refused(name, unknownMember(Object.keys(known)));
      if (Array.isArray(value)) throw refused(name, 'Give it once.');
      if (unfit.test(String(value))) throw refused(name, 'It has characters that no value has.');
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
