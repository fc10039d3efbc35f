import type { UseFormReturnType } from '@mantine/form';
import { useState, type SubmitEvent } from 'react';
import type { z } from 'zod';
import { ApiProblem, isSessionLost } from '../api/client.js';
import type { ConflictProps } from './conflict.js';
import { focusFirstMistake, problemsOfAnswer, problemsOfBody, type FieldOf } from './form-problems.js';
import type { ProblemAlertProps } from './problem-alert.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as @mantine/form asks for it
type AnyValues = Record<string, any>;

export interface DialogFormOptions<Values extends AnyValues, Body, Answer> {
  readonly form: UseFormReturnType<Values>;
  readonly schema: z.ZodType;
  readonly bodyOf: (values: Values) => Body;
  readonly fieldOf: FieldOf;
  /** Sends what the form says, or what was put together with the `version` that somebody else has saved meanwhile. */
  readonly send: (body: Body, version?: number) => Promise<Answer>;
  readonly onDone: (answer: Answer) => void;
  /** What is changed, as others may change it too; left out: a new one, or nothing that has versions. */
  readonly stored?: StoredBody<Body>;
}

export interface StoredBody<Body> {
  /** What it is: `API client`. */
  readonly noun: string;
  /** As the form found it. */
  readonly base: Body;
  /** As it is now. */
  readonly read: () => Promise<{ readonly body: Body; readonly version: number; readonly changedAt: string }>;
  /** What a member is called in the form. */
  readonly labelOf: (member: string) => string;
}

type Members = Readonly<Record<string, unknown>>;

/** A short form in a dialog: checked by the contract, refused by the service where the mistake is. */
export function useDialogForm<Values extends AnyValues, Body, Answer>(
  options: DialogFormOptions<Values, Body, Answer>,
) {
  const { form, schema, bodyOf, fieldOf, send, onDone, stored } = options;
  const [problem, setProblem] = useState<ProblemAlertProps | null>(null);
  const [conflict, setConflict] = useState<ConflictProps<Members>['conflict']>(null);
  const [pending, setPending] = useState(false);

  const refused = async (error: unknown, body: Body): Promise<void> => {
    if (isSessionLost(error)) return;
    if (stored && error instanceof ApiProblem && error.code === 'version_mismatch') {
      const { body: theirs, ...version } = await stored.read();
      setConflict({ base: stored.base as Members, mine: body as Members, theirs: theirs as Members, ...version });
      return;
    }
    const { fields, rest } = problemsOfAnswer(error, fieldOf);
    form.setErrors(fields);
    if (Object.keys(fields).length === 0 || rest.length > 0) setProblem({ error, rest });
    focusFirstMistake();
  };

  const save = async (body: Body, version?: number): Promise<void> => {
    setConflict(null);
    const checked = problemsOfBody(schema, body, fieldOf);
    form.clearErrors();
    setProblem(null);
    if (Object.keys(checked.fields).length + checked.rest.length > 0) {
      form.setErrors(checked.fields);
      if (checked.rest.length > 0) setProblem({ error: new Error(checked.rest[0]!.detail) });
      focusFirstMistake();
      return;
    }
    setPending(true);
    try {
      onDone(await send(body, version));
    } catch (error) {
      await refused(error, body).catch((failure: unknown) => setProblem({ error: failure }));
    } finally {
      setPending(false);
    }
  };
  return {
    problem,
    pending,
    /** Nothing of what was typed and refused waits for the next time. */
    forget: (): void => {
      setProblem(null);
      setConflict(null);
      form.reset();
    },
    /** What somebody else has saved meanwhile, beside what was to be saved; null: nobody has. */
    conflict:
      stored && conflict
        ? {
            conflict,
            noun: stored.noun,
            labelOf: stored.labelOf,
            show: shownMember,
            onClose: () => setConflict(null),
            onResolve: (body: Members, version: number) => void save(body as Body, version),
          }
        : null,
    submit: (event: SubmitEvent): void => {
      event.preventDefault();
      // A form inside the dialog of another one is not that other one's.
      event.stopPropagation();
      void save(bodyOf(form.getValues()));
    },
  };
}

const shownMember = (_: string, value: unknown): string =>
  value === null || value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value, null, 2);
