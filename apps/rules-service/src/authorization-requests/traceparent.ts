// W3C Trace Context §3.2.2: version 00, no id of zeros only.
const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace context; null without one that can be read: tracing never refuses a call. */
export const traceparentOf = (header: string | string[] | undefined): string | null =>
  typeof header === 'string' && form.test(header) ? header : null;
