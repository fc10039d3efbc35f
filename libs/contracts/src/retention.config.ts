import { z } from 'zod';

const days = (least: number, usual: number) => z.coerce.number().int().min(least).max(36_500).default(usual);

/** How long what is kept. */
export const retentionConfig = z.object({
  ASSENT_KEEP_PERSONAL_DATA_DAYS: days(1, 90).describe(
    'Days after the end of a request for which whatever names the person is kept: hint, attributes, messages, subject.',
  ),
  ASSENT_KEEP_REQUESTS_DAYS: days(1, 365).describe(
    'Days after its end for which a request is kept, with its decision.',
  ),
  ASSENT_KEEP_TIMELINES_DAYS: days(1, 365).describe('Days for which the entries of timelines are kept.'),
  ASSENT_KEEP_DELIVERIES_DAYS: days(1, 30).describe(
    'Days for which deliveries that are over are kept, with their attempts.',
  ),
  ASSENT_KEEP_EVENTS_DAYS: days(1, 30).describe(
    'Days for which published events are kept; those of decisions no longer than what names the person.',
  ),
  ASSENT_KEEP_INBOX_DAYS: days(1, 7).describe('Days for which it is remembered which events were handled.'),
});
export type RetentionConfig = Readonly<z.output<typeof retentionConfig>>;
