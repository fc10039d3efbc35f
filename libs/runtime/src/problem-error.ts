import { problems, problemType, type Problem, type ProblemCode } from '#lib/contracts';

/** What may go with a problem beside its text. */
export interface ProblemExtras {
  readonly errors?: NonNullable<Problem['errors']>;
  readonly users?: NonNullable<Problem['users']>;
  readonly login?: NonNullable<Problem['login']>;
  readonly rejection?: NonNullable<Problem['rejection']>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal that the caller of the API is told about; thrown by use cases, translated by the problem filter. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly code: ProblemCode,
    /** What happened and what to do next, for people. */
    readonly detail: string,
    readonly extras: ProblemExtras = {},
  ) {
    super(`${code}: ${detail}`);
  }

  get status(): number {
    return problems[this.code].status;
  }

  /** The document of RFC 9457. */
  toProblem(instance?: string): Problem {
    const { status, title } = problems[this.code];
    return {
      type: problemType(this.code),
      title,
      status,
      detail: this.detail,
      code: this.code,
      ...(instance !== undefined && { instance }),
      ...(this.extras.errors && { errors: this.extras.errors }),
      ...(this.extras.rejection && { rejection: this.extras.rejection }),
      ...(this.extras.login && { login: this.extras.login }),
      ...(this.extras.users && { users: this.extras.users }),
    };
  }
}
