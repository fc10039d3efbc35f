/** For the environment of tests that ask the same few people again and again. */
export const noPromptLimits = {
  ASSENT_PROMPTS_OUTSTANDING: '0',
  ASSENT_PROMPTS_PER_5_MINUTES: '0',
  ASSENT_PROMPTS_PER_HOUR: '0',
  ASSENT_PROMPT_COOL_DOWN_SECONDS: '0',
};
