/** When the certificate of a key pair is said to end soon, and how often that is told. */

/** So many days ahead the end of a certificate is told of, the earliest first. */
export const expiryWarningDays = [30, 14, 7, 1] as const;
export type ExpiryWarningDays = (typeof expiryWarningDays)[number];

export const certificateStatuses = ['valid', 'expiring', 'expired', 'notYetValid'] as const;
export type CertificateStatus = (typeof certificateStatuses)[number];

const dayMs = 86_400_000;

/** Days until the end, a day that has begun as a whole one; 0 or less once it has ended. */
export const daysLeft = (notAfter: Date, now: Date): number => Math.ceil((notAfter.getTime() - now.getTime()) / dayMs);

/** What a certificate is at an instant; one that ends within the earliest warning is expiring. */
export function certificateStatus(
  { notBefore, notAfter }: { readonly notBefore: Date; readonly notAfter: Date },
  now: Date,
): CertificateStatus {
  if (notAfter <= now) return 'expired';
  if (notBefore > now) return 'notYetValid';
  return daysLeft(notAfter, now) <= expiryWarningDays[0] ? 'expiring' : 'valid';
}

/**
 * The warning whose time has come, null when none has: the latest one, so that whoever looks late tells once. A
 * certificate that has ended counts as one in its last day: late is better than never.
 */
export function dueExpiryWarning(notAfter: Date, now: Date): ExpiryWarningDays | null {
  const left = daysLeft(notAfter, now);
  return expiryWarningDays.findLast((days) => left <= days) ?? null;
}
