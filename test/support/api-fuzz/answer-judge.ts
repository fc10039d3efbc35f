import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { problems, type Problem } from '#lib/contracts';
import type { ApiDescription } from './api-description.js';
import type { FuzzCall } from './fuzz-calls.js';
import type { Schema } from './schema-values.js';

/** An answer as it came in. */
export interface FuzzReply {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What a stack trace, a statement, a place on our disk or a driver's own words look like. */
const inside =
  /\bat .{1,200}\.[jt]s:\d|node_modules|\bselect [a-z*]+[ ,.]|\binsert into \w|violates |duplicate key|relation "|pg_catalog|typeorm|ZodError|-----BEGIN [A-Z ]*PRIVATE/i;
/** Answered before there is a route, or by none in particular. */
const ofNoRoute = ['malformed_request', 'method_not_allowed', 'not_found'];

/** Holds answers against the description: status, content type, body; and looks for what must not show. */
export class AnswerJudge {
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false });
  private readonly validators = new Map<string, ValidateFunction>();

  /** `secrets` are texts that no answer holds. */
  constructor(
    private readonly description: ApiDescription,
    private readonly secrets: readonly string[],
  ) {
    this.ajv.addSchema({ $id: 'api', components: description.components });
  }

  /** What is wrong with the answer; null when nothing is. */
  complaint({ route, path, body }: FuzzCall, { status, type, headers, text }: FuzzReply): string | null {
    if (status >= 500) return `answered ${status}`;
    const leak = this.leak(text, isPage(type) || isDescription.test(path) ? null : `${path} ${body ?? ''}`);
    if (leak !== null) return `tells of the inside: ${leak}`;
    if (headers['server'] !== undefined || headers['x-powered-by'] !== undefined) return 'names its software';
    const mediaType = type.split(';')[0]!;
    if (status >= 400 && mediaType !== 'text/html') {
      if (mediaType !== 'application/problem+json') return `an error of type ${type}`;
      const problem = JSON.parse(text) as Problem;
      if (!Object.hasOwn(problems, problem.code)) return `an unknown code ${problem.code}`;
      if (ofNoRoute.includes(problem.code)) return this.misfit({ $ref: '#/components/schemas/Problem' }, problem);
    }
    const declared = route.operation.responses[String(status)];
    if (declared === undefined) return `answered ${status}, which is not described`;
    const response =
      declared.$ref === undefined ? declared : this.description.components.responses[declared.$ref.split('/').at(-1)!]!;
    if (text === '') return response.content === undefined ? null : 'no body';
    const content = response.content?.[mediaType];
    if (content === undefined) return `a body of type ${mediaType}, which is not described`;
    if (!mediaType.endsWith('json')) return null;
    return this.misfit(content.schema, JSON.parse(text));
  }

  /** What a call sent may come back: the inside is what it did not send. `sent` null: a page, which tells of programs. */
  private leak(text: string, sent: string | null): string | null {
    const found = sent === null ? null : inside.exec(text);
    if (found !== null && !sent!.includes(found[0])) return found[0];
    return this.secrets.some((secret) => text.includes(secret)) ? 'a secret' : null;
  }

  private misfit(schema: Schema, value: unknown): string | null {
    // Hundreds of operations answer with a dozen schemas.
    const key = JSON.stringify(schema);
    const validate = this.validators.get(key) ?? this.ajv.compile(fromOutside(schema));
    this.validators.set(key, validate);
    return validate(value) === true ? null : `does not fit: ${JSON.stringify(validate.errors)}`;
  }
}

/** The same for everybody, and written by us. */
const isDescription = /^\/(openapi|asyncapi)\.json/;
const isPage = (type: string): boolean => /^text\/(html|css|plain)/.test(type);

/** References as seen from outside the description. */
const fromOutside = (schema: Schema): Schema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"api#/')) as Schema;
