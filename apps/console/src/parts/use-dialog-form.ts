import type { UseFormReturnType } from '@mantine/form';
import { useState, type SubmitEvent } from 'react';
import type { z } from 'zod';
import { isSessionLost } from '../api/client.js';
import { focusFirstMistake, problemsOfAnswer, problemsOfBody, type FieldOf } from './form-problems.js';
import type { ProblemAlertProps } from './problem-alert.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as @mantine/form asks for it
type AnyValues = Record<string, any>;

export interface DialogFormOptions<Values extends AnyValues, Body, Answer> {
  readonly form: UseFormReturnType<Values>;
  readonly schema: z.ZodType;
  readonly bodyOf: (values: Values) => Body;
  readonly fieldOf: FieldOf;
  readonly send: (body: Body) => Promise<Answer>;
  readonly onDone: (answer: Answer) => void;
}

/** A short form in a dialog: checked by the contract, refused by the service where the mistake is. */
export function useDialogForm<Values extends AnyValues, Body, Answer>(
  options: DialogFormOptions<Values, Body, Answer>,
) {
  const { form, schema, bodyOf, fieldOf, send, onDone } = options;
  const [problem, setProblem] = useState<ProblemAlertProps | null>(null);
  const [pending, setPending] = useState(false);

  const save = async (): Promise<void> => {
    const body = bodyOf(form.getValues());
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
      onDone(await send(body));
    } catch (error) {
      if (isSessionLost(error)) return;
      const { fields, rest } = problemsOfAnswer(error, fieldOf);
      form.setErrors(fields);
      if (Object.keys(fields).length === 0 || rest.length > 0) setProblem({ error, rest });
      focusFirstMistake();
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
      form.reset();
    },
    submit: (event: SubmitEvent): void => {
      event.preventDefault();
      // A form inside the dialog of another one is not that other one's.
      event.stopPropagation();
      void save();
    },
  };
}
