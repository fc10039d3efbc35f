/** How often one person may be asked, and what is exceeded when they may not be asked now. */

/** Of every number 0 means: no limit. */
export interface PromptLimits {
  /** Requests of one person that have not ended. */
  readonly outstanding: number;
  /** Requests to one person within any 5 minutes. */
  readonly perFiveMinutes: number;
  /** Requests to one person within any hour. */
  readonly perHour: number;
  /** How long a person who has said no twice in a row is left alone. */
  readonly coolDownSeconds: number;
  /** Requests of one API client in a minute of the clock. */
  readonly clientPerMinute: number;
  /** Requests under one rule in a minute of the clock. */
  readonly rulePerMinute: number;
}

/** What holds where nobody says otherwise. */
export const defaultPromptLimits: PromptLimits = {
  outstanding: 5,
  perFiveMinutes: 10,
  perHour: 60,
  coolDownSeconds: 0,
  clientPerMinute: 0,
  rulePerMinute: 0,
};

/** Nothing is limited. */
export const noPromptLimits: PromptLimits = {
  outstanding: 0,
  perFiveMinutes: 0,
  perHour: 0,
  coolDownSeconds: 0,
  clientPerMinute: 0,
  rulePerMinute: 0,
};

/** What a rule may set by itself; what it leaves out is as configured. */
export type RulePromptLimits = {
  readonly [Member in keyof Omit<PromptLimits, 'clientPerMinute'>]?: number | undefined;
};

/** The limits of one request: the rule's where it has its own, the client's where it has its own, else the configured ones. */
export const promptLimitsOf = (
  configured: PromptLimits,
  rule: RulePromptLimits | null,
  requestsPerMinute: number | null,
): PromptLimits => ({
  outstanding: rule?.outstanding ?? configured.outstanding,
  perFiveMinutes: rule?.perFiveMinutes ?? configured.perFiveMinutes,
  perHour: rule?.perHour ?? configured.perHour,
  coolDownSeconds: rule?.coolDownSeconds ?? configured.coolDownSeconds,
  rulePerMinute: rule?.rulePerMinute ?? configured.rulePerMinute,
  clientPerMinute: requestsPerMinute ?? configured.clientPerMinute,
});

/** Which limit a request met. */
export type ExceededLimit = 'outstanding' | 'five-minutes' | 'hour' | 'cool-down' | 'client' | 'rule';

/** The limits that a request uses up; the cool-down is none of them. */
export const countedLimits = [
  'outstanding',
  'five-minutes',
  'hour',
  'client',
  'rule',
] as const satisfies ExceededLimit[];
export type CountedLimit = (typeof countedLimits)[number];

/** A quota, and the time over which it counts, in s; null: over none, it is given back when a request ends. */
export interface Quota {
  readonly quota: number;
  readonly windowSeconds: number | null;
}

/** How much a limit allows; a quota of 0 means: no limit. */
export function quotaOf(limits: PromptLimits, limit: CountedLimit): Quota {
  switch (limit) {
    case 'outstanding':
      return { quota: limits.outstanding, windowSeconds: null };
    case 'five-minutes':
      return { quota: limits.perFiveMinutes, windowSeconds: 300 };
    case 'hour':
      return { quota: limits.perHour, windowSeconds: 3_600 };
    case 'client':
      return { quota: limits.clientPerMinute, windowSeconds: 60 };
    case 'rule':
      return { quota: limits.rulePerMinute, windowSeconds: 60 };
  }
}
