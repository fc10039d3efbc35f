import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { ProblemError } from './problem-error.js';

interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
  readonly code?: string;
}

interface StandardSchema {
  readonly '~standard': {
    validate(value: unknown): Result | Promise<Result>;
  };
}
type Result = { readonly issues?: readonly Issue[]; readonly value?: unknown };

/**
 * Validates bodies, queries and parameters against the schema that the route declares (`@Body({ schema })`) and says
 * what to change as a problem document: 422 for a body, 400 for a query or a path parameter.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  async transform(value: unknown, metadata: ArgumentMetadata & { schema?: unknown }): Promise<unknown> {
    const schema = metadata.schema as StandardSchema | undefined;
    if (schema === undefined) return value;
    const result = await schema['~standard'].validate(metadata.type === 'query' ? { ...(value as object) } : value);
    if (result.issues === undefined) return result.value;
    const errors = result.issues.map((issue) => ({
      pointer: pointerOf(issue),
      code: issue.code ?? 'invalid',
      detail: issue.message,
    }));
    const first = errors[0]!;
    const where = first.pointer === '' ? '' : ` at ${first.pointer}`;
    throw new ProblemError(
      metadata.type === 'body' ? 'invalid_body' : 'invalid_parameter',
      `${first.detail}${where}${errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : ''}`,
      { errors },
    );
  }
}

/** JSON pointer (RFC 6901) of an issue's path. */
function pointerOf(issue: Issue): string {
  const keys = (issue.path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment));
  return keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
