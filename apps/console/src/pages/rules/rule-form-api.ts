import type { UseFormReturnType } from '@mantine/form';
import type { RuleValues } from './rule-values.js';

/** What the parts of the rule form share. */
export type RuleFormApi = UseFormReturnType<RuleValues>;

export interface RulePartProps {
  readonly form: RuleFormApi;
  readonly readOnly: boolean;
}

/** Joins fields to the members of a rule. */
export const fieldsOf = ({ form, readOnly }: RulePartProps) => ({
  /** A field that takes a text, a number or a choice. */
  field: (name: string) => ({ readOnly, ...form.getInputProps(name) }),
  /** A switch; it cannot be read-only, so it is disabled. */
  toggle: (name: string) => ({ disabled: readOnly, ...form.getInputProps(name, { type: 'checkbox' }) }),
});
