/** A claim of due deliveries, and what came of it. */
export interface Claim {
  readonly limit: number;
  readonly exceptTargets: readonly string[];
  readonly work: readonly { readonly target: string }[];
}

/**
 * Whether a claim may have left something that is due, for want of room: then the end of a delivery is worth another
 * claim. A target's part shrinks with the number of targets that share the claim, to no less than two while the claim is
 * not used up; so one that got several may have more. What another process held meanwhile is its own to deliver.
 */
export function mayHaveLeft({ limit, exceptTargets, work }: Claim): boolean {
  const targets = new Set(work.map(({ target }) => target));
  return work.length >= limit || exceptTargets.length > 0 || targets.size < work.length;
}
