import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import type { Log } from './log.js';
import { ProblemError } from './problem-error.js';
import type { RegisteredRoutes } from './registered-routes.js';

/** The part of Fastify's reply that the filter uses. */
interface Reply {
  readonly sent: boolean;
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body: string): Reply;
}

interface Request {
  readonly url: string;
  readonly method: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What the filter asks about an error that it does not know. */
export type Explain = (error: unknown) => ProblemError | null;

/**
 * Turns every error of an HTTP call into one problem document (RFC 9457). What nobody explains is a 500 without
 * details, and logged. Errors of event handlers pass through untouched: the transport decides about those.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly explain: Explain,
    private readonly routes: Pick<RegisteredRoutes, 'methodsAt'>,
  ) {}

  catch(error: unknown, host: ArgumentsHost): Observable<never> | void {
    if (host.getType() !== 'http') return throwError(() => error);
    const request = host.switchToHttp().getRequest<Request>();
    const reply = host.switchToHttp().getResponse<Reply>();
    const problem =
      error instanceof ProblemError ? error : (this.explain(error) ?? this.transportProblem(error, request));
    if (problem.status >= 500) {
      this.log[problem.code === 'internal_error' ? 'error' : 'warn']('A call failed', {
        method: request.method,
        path: request.url.split('?', 1)[0],
        requestId: request.id,
        code: problem.code,
        error,
      });
    }
    if (!reply.sent) sendProblem(reply, problem);
  }

  /** What the HTTP server itself found wrong, before any code of ours ran. */
  private transportProblem(error: unknown, request: Request): ProblemError {
    const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown }).statusCode;
    switch (status) {
      case 400:
        // With a body it is the body's parser that complains; without one, the address cannot be read.
        return request.headers['content-type'] === undefined
          ? new ProblemError('malformed_request', 'The request cannot be understood. Check its path and its query.')
          : new ProblemError('malformed_body', 'The body cannot be read as JSON. Check it with a JSON validator.');
      case 404:
        return this.unmatchedProblem(request);
      case 413:
        return new ProblemError('body_too_large', 'The body is larger than this route accepts. Send less.');
      case 415:
        return new ProblemError('unsupported_media_type', 'Send the body as application/json.');
      case 503:
        return new ProblemError('shutting_down', 'This instance is stopping. Try again; another one will answer.', {
          headers: { 'retry-after': '1' },
        });
      default:
        return new ProblemError(
          'internal_error',
          'Something unexpected happened; it has been logged. Try again later.',
        );
    }
  }

  /** The router knows of no such address, or of another method there. */
  private unmatchedProblem({ url }: Request): ProblemError {
    const methods = this.routes.methodsAt(url.split('?', 1)[0]!).join(', ');
    if (methods === '') return nothingThere();
    return new ProblemError('method_not_allowed', `This address takes ${methods} only. See /docs for what there is.`, {
      headers: { allow: methods },
    });
  }
}

/** Answers a call with a problem document. */
export function sendProblem(reply: Reply, problem: ProblemError): void {
  reply.status(problem.status).header('content-type', 'application/problem+json; charset=utf-8');
  reply.header('cache-control', 'no-store');
  for (const [name, value] of Object.entries(problem.extras.headers ?? {})) reply.header(name, value);
  reply.send(JSON.stringify(problem.toProblem()));
}

/** What is wrong with an address that the router cannot even match: its escapes, or an id longer than any of ours. */
export const addressProblem = ({ statusCode }: { readonly statusCode?: number }): ProblemError =>
  statusCode === 414
    ? nothingThere()
    : new ProblemError('malformed_request', 'The address cannot be read. Check its escapes.');

const nothingThere = (): ProblemError =>
  new ProblemError('not_found', 'There is nothing at this address. See /docs for what there is.');
