import { defaultPromptLimits, type PromptLimits } from '#lib/domain';
import { z } from 'zod';

const limit = (most: number, usual: number) => z.coerce.number().int().min(0).max(most).default(usual);

/** How often people may be asked. */
export const promptLimitConfig = z.object({
  ASSENT_PROMPTS_OUTSTANDING: limit(10_000, defaultPromptLimits.outstanding).describe(
    'Requests of one person that have not ended; 0: no limit. Rules may say otherwise.',
  ),
  ASSENT_PROMPTS_PER_5_MINUTES: limit(100_000, defaultPromptLimits.perFiveMinutes).describe(
    'Requests to one person within any 5 minutes; 0: no limit. Rules may say otherwise.',
  ),
  ASSENT_PROMPTS_PER_HOUR: limit(1_000_000, defaultPromptLimits.perHour).describe(
    'Requests to one person within any hour; 0: no limit. Rules may say otherwise.',
  ),
  ASSENT_PROMPT_COOL_DOWN_SECONDS: limit(86_400, defaultPromptLimits.coolDownSeconds).describe(
    'How long a person who has said no twice in a row is left alone; 0: not at all. Rules may say otherwise.',
  ),
  ASSENT_REQUESTS_PER_MINUTE_PER_CLIENT: limit(1_000_000, defaultPromptLimits.clientPerMinute).describe(
    'Requests of one API client in a minute of the clock; 0: no limit. API clients may have their own.',
  ),
  ASSENT_REQUESTS_PER_MINUTE_PER_RULE: limit(1_000_000, defaultPromptLimits.rulePerMinute).describe(
    'Requests under one rule in a minute of the clock; 0: no limit. Rules may say otherwise.',
  ),
});
export type PromptLimitConfig = Readonly<z.output<typeof promptLimitConfig>>;

/** The configured limits; what is not given has its default. */
export function configuredLimits(given: Partial<PromptLimitConfig>): PromptLimits {
  const config = { ...promptLimitConfig.parse({}), ...given };
  return {
    outstanding: config.ASSENT_PROMPTS_OUTSTANDING,
    perFiveMinutes: config.ASSENT_PROMPTS_PER_5_MINUTES,
    perHour: config.ASSENT_PROMPTS_PER_HOUR,
    coolDownSeconds: config.ASSENT_PROMPT_COOL_DOWN_SECONDS,
    clientPerMinute: config.ASSENT_REQUESTS_PER_MINUTE_PER_CLIENT,
    rulePerMinute: config.ASSENT_REQUESTS_PER_MINUTE_PER_RULE,
  };
}
