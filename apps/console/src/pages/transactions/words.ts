const reasons: Readonly<Record<string, string>> = {
  unknown_user: 'the provider does not know the person',
  provider_error: 'the provider failed',
  provider_rejected: 'the provider refused the request',
  provider_policy: 'the provider’s policy said no',
  configuration_error: 'rule and provider do not fit',
  invalid_evidence: 'the answer proves nothing',
  initiation_unknown: 'nobody knows whether the person was asked',
  outcome_unknown: 'the answer was lost',
};

/** A reason in words; one that is not known yet, as it is. */
export const reasonWords = (reason: string): string => reasons[reason] ?? reason.replaceAll('_', ' ');

const titles: Readonly<Record<string, string>> = {
  requested: 'Accepted',
  initiated: 'Provider acknowledged',
  acknowledged: 'Provider acknowledged',
  pending: 'Provider acknowledged',
  pinged: 'Provider pinged',
  pushed: 'Provider pushed the result',
  reworded: 'Binding message made plainer',
  approved: 'Approved',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Cancelled',
  failed: 'Failed',
  decided: 'Decision recorded',
  consumed: 'Approval used',
  erased: 'Personal data erased',
};

/** What an entry of a timeline is called. */
export function entryTitle(type: string): string {
  const known = titles[type];
  if (known !== undefined) return known;
  const words = type.replaceAll(/[-_.]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How long something took: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function lengthOfTime(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}
