import type { UseFormReturnType } from '@mantine/form';
import type { RuleValues } from './rule-values.js';

/** What the parts of the rule form share. */
export type RuleFormApi = UseFormReturnType<RuleValues>;
