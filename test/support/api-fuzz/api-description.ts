import type { Schema } from './schema-values.js';

/** One operation of the served description, as far as the fuzzer reads it. */
export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly $ref?: string;
    readonly name: string;
    readonly in: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema; readonly examples?: Examples }>>;
  };
  readonly responses: Readonly<Record<string, Response>>;
}
type Examples = Readonly<Record<string, { readonly value: unknown }>>;
interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

/** An operation with its place. */
export interface FuzzRoute {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** An OpenAPI document as a service serves it. */
export interface ApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly parameters?: Readonly<Record<string, NonNullable<Operation['parameters']>[number]>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

const methods = ['get', 'post', 'put', 'patch', 'delete'];

/** Every operation of a description. */
export const routesOf = ({ paths }: ApiDescription): FuzzRoute[] =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => methods.includes(method))
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

/** The parameters of an operation in one place, shared ones included. */
export function parametersOf({ components }: ApiDescription, { parameters = [] }: Operation, place: string) {
  return parameters
    .map((parameter) =>
      parameter.$ref === undefined ? parameter : components.parameters![parameter.$ref.split('/').at(-1)!]!,
    )
    .filter((parameter) => parameter.in === place);
}
