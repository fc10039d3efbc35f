import type { UseFormReturnType } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode, type SubmitEvent } from 'react';
import { changesBetween } from '#lib/domain';
import type { z } from 'zod';
import type { adminResource } from '../api/admin-resource.js';
import { ApiProblem, isSessionLost } from '../api/client.js';
import { useMayWrite } from '../shell/session.js';
import type { ConflictProps } from './conflict.js';
import { tellDone } from './done.js';
import {
  focusFirstMistake,
  problemsOfAnswer,
  problemsOfBody,
  type FieldOf,
  type FormProblems,
} from './form-problems.js';
import { useLeaveGuard } from './leave-guard.js';
import type { ProblemAlertProps } from './problem-alert.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as @mantine/form asks for it
type AnyValues = Record<string, any>;

interface Stored {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly updatedAt: string;
}

export interface AdminFormOptions<Item extends Stored, Body extends object, Values extends AnyValues> {
  readonly form: UseFormReturnType<Values>;
  /** What is changed; null: a new one. */
  readonly stored: Item | null;
  readonly resource: ReturnType<typeof adminResource<Item, Body>>;
  readonly schema: z.ZodType<Body>;
  readonly valuesOf: (item: Item) => Values;
  readonly bodyOf: (values: Values) => object;
  readonly fieldOf: FieldOf;
  readonly onCreated: (item: Item) => void;
  /** Called before fields are marked as wrong, so that they are there. */
  readonly onMistakes?: (fields: readonly string[]) => void;
}

type Body = Readonly<Record<string, unknown>>;

export interface AdminForm {
  readonly submit: (event: SubmitEvent) => void;
  readonly pending: boolean;
  readonly problem: ProblemAlertProps | null;
  readonly conflict: Pick<ConflictProps<Body>, 'conflict' | 'onClose' | 'onResolve'>;
  /** The question before what was typed is left; put it into the form. */
  readonly guard: ReactNode;
  /** What the fields were last filled from. */
  readonly base: Stored | null;
}

/**
 * The life of a form over an administered object: checked by the contract before it is sent, refused by the service where
 * the mistake is, saved for the version that was looked at, and put together when somebody else was faster.
 */
export function useAdminForm<Item extends Stored, B extends object, Values extends AnyValues>(
  options: AdminFormOptions<Item, B, Values>,
): AdminForm & { readonly base: Item | null } {
  const { form, stored, resource, schema, valuesOf, bodyOf, fieldOf, onCreated, onMistakes } = options;
  const [problem, setProblem] = useState<ProblemAlertProps | null>(null);
  const [conflict, setConflict] = useState<ConflictProps<Body>['conflict']>(null);
  const [base, setBase] = useState(stored);
  const create = resource.useCreate();
  const replace = resource.useReplace();
  const queries = useQueryClient();
  const mayWrite = useMayWrite();
  const { guard, release } = useLeaveGuard(form.isDirty() && mayWrite);

  const show = ({ fields }: FormProblems): void => {
    onMistakes?.(Object.keys(fields));
    form.setErrors(fields);
    focusFirstMistake();
  };

  const refused = async (error: unknown, body: Body): Promise<void> => {
    if (isSessionLost(error)) return;
    if (base && error instanceof ApiProblem && error.code === 'version_mismatch') {
      const theirs = await queries.fetchQuery({ ...resource.single(base.id), staleTime: 0 });
      setConflict({
        base: bodyOf(valuesOf(base)) as Body,
        mine: body,
        theirs: bodyOf(valuesOf(theirs)) as Body,
        version: theirs.version,
        changedAt: theirs.updatedAt,
      });
      return;
    }
    setConflict(null);
    const problems = problemsOfAnswer(error, fieldOf);
    // A sentence at the field is enough; what has no field is told above all of them.
    const told = Object.keys(problems.fields).length > 0 && problems.rest.length === 0;
    setProblem(told ? null : { error, rest: problems.rest });
    show(problems);
  };

  /** Shows what is stored; what was typed after `sent` left the form stays typed. */
  const fill = (item: Item, sent = form.getValues()): void => {
    setBase(item);
    const values = valuesOf(item);
    const typed = form.getValues();
    const since = Object.keys(values).filter((name) => changesBetween(sent[name], typed[name]).length > 0);
    form.setInitialValues(values);
    form.setValues({ ...values, ...Object.fromEntries(since.map((name) => [name, typed[name]])) });
    form.resetDirty(values);
  };
  useEffect(() => {
    // What others have saved shows at once, as long as nobody has typed over it.
    if (stored && base && stored.version > base.version && !form.isDirty()) fill(stored);
  }, [stored?.version]);

  const save = (body: Body, version: number | null): void => {
    const checked = problemsOfBody(schema, body, fieldOf);
    if (Object.keys(checked.fields).length + checked.rest.length > 0) {
      setConflict(null);
      setProblem(checked.rest.length > 0 ? { error: new Error(checked.rest[0]!.detail) } : null);
      show(checked);
      return;
    }
    setProblem(null);
    form.clearErrors();
    const onError = (error: unknown): void =>
      void refused(error, body).catch((failure: unknown) => setProblem({ error: failure }));
    if (base === null || version === null) {
      const onSuccess = (item: Item): void => {
        tellDone(`${item.name} is saved.`);
        release();
        onCreated(item);
      };
      create.mutate(body as B, { onError, onSuccess });
    } else {
      const sent = form.getValues();
      const onSuccess = (item: Item): void => {
        tellDone(`${item.name} is saved as version ${item.version}.`);
        setConflict(null);
        fill(item, sent);
      };
      replace.mutate({ id: base.id, version, body: body as B }, { onError, onSuccess });
    }
  };

  return {
    submit: (event) => {
      event.preventDefault();
      save(bodyOf(form.getValues()) as Body, base?.version ?? null);
    },
    pending: create.isPending || replace.isPending,
    problem,
    conflict: { conflict, onClose: () => setConflict(null), onResolve: save },
    guard,
    base,
  };
}
