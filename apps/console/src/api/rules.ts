import type { Rule, RuleBody } from '#lib/contracts';
import { adminResource } from './admin-resource.js';

export const rules = adminResource<Rule, RuleBody>('/v1/rules');
