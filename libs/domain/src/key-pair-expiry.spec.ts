import { describe, expect, it } from '@jest/globals';
import { certificateStatus, daysLeft, dueExpiryWarning } from './key-pair-expiry.js';

const now = new Date('2026-03-01T00:00:00.000Z');
const hoursFromNow = (hours: number) => new Date(now.getTime() + hours * 3_600_000);

describe('the end of a certificate', () => {
  it.each([
    [24 * 30 + 1, 31, null],
    [24 * 30, 30, 30],
    [24 * 14 + 1, 15, 30],
    [24 * 14, 14, 14],
    [24 * 7 + 1, 8, 14],
    [24 * 7, 7, 7],
    [25, 2, 7],
    [24, 1, 1],
    [1, 1, 1],
    [0, 0, 1],
    [-24 * 40, -40, 1],
  ])('%d hours ahead is %d days, and calls for the warning of %s days', (hours, days, warning) => {
    expect(daysLeft(hoursFromNow(hours), now)).toBe(days);
    expect(dueExpiryWarning(hoursFromNow(hours), now)).toBe(warning);
  });

  it('shows in its status', () => {
    const status = (from: number, to: number) =>
      certificateStatus({ notBefore: hoursFromNow(from), notAfter: hoursFromNow(to) }, now);
    expect(status(-1, 24 * 30 + 1)).toBe('valid');
    expect(status(-1, 24 * 30)).toBe('expiring');
    expect(status(-1, 0)).toBe('expired');
    expect(status(1, 24)).toBe('notYetValid');
    expect(status(0, 24 * 300)).toBe('valid');
  });
});
