import type { RulePreview, RulePreviewBody } from '#lib/contracts';
import { useMutation } from '@tanstack/react-query';
import { call } from './client.js';

/** Shows what a rule would ask; nobody is asked. */
export const useRulePreview = () =>
  useMutation({
    mutationFn: ({ ruleId, body }: { ruleId: string; body: RulePreviewBody }) =>
      call<RulePreview>('POST', `/v1/rules/${encodeURIComponent(ruleId)}/preview`, { body }),
  });
