const overlaps = [
  { value: '0', label: 'Not at all' },
  { value: '3600', label: 'For an hour' },
  { value: '86400', label: 'For a day' },
  { value: '604800', label: 'For a week' },
  { value: '2592000', label: 'For 30 days' },
];

/** For how long, in seconds, an old secret may go on beside the new one. */
export const overlapsUpTo = (seconds: number) => overlaps.filter(({ value }) => Number(value) <= seconds);
