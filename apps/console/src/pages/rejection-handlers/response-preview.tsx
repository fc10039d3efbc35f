import { Alert, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { rejectionHandlerBody, type RejectionHandlerBody } from '#lib/contracts';
import { isJsonMediaType, rejectionWords, renderRejection, type RejectionResponse } from '#lib/domain';
import { useDeferredValue, useState } from 'react';
import { CodeBlock } from '../../parts/code-block.js';
import classes from './response-preview.module.css';
import { TemplateFrame } from './template-frame.js';

const outcomes = [
  { value: 'denied', label: 'Denied' },
  { value: 'expired', label: 'Expired' },
  { value: 'failed', label: 'Failed' },
] as const;
type RejectedOutcome = (typeof outcomes)[number]['value'];

const reasons: Readonly<Record<RejectedOutcome, string>> = { denied: '', expired: '', failed: 'unknown_user' };

/** The values of a request that might have been. */
const exampleOf = (outcome: RejectedOutcome) => ({
  requestId: '019a7c3e-5b1f-7d20-9c84-2f6d1e0a77b3',
  outcome,
  reason: reasons[outcome],
  ruleName: 'Approve a payment',
  bindingMessage: 'Pay 25 EUR to Corner Shop',
  expiresAt: new Date(Date.now() + 90_000).toISOString(),
  ...rejectionWords(outcome),
});

/** What the caller gets, made by the code that makes it for real. */
export function ResponsePreview({ body }: { readonly body: RejectionHandlerBody }) {
  const [outcome, setOutcome] = useState<RejectedOutcome>('denied');
  const handler = useDeferredValue(body);
  const sound = rejectionHandlerBody.safeParse({ ...handler, name: handler.name || 'Preview' });
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text fz="sm" c="dimmed">
          With the values of an example request
        </Text>
        <SegmentedControl
          size="xs"
          aria-label="Outcome"
          value={outcome}
          onChange={(value) => setOutcome(value)}
          data={[...outcomes]}
        />
      </Group>
      {sound.success ? (
        <Response of={renderRejection(sound.data, exampleOf(outcome))} />
      ) : (
        <Alert color="gray">{sound.error.issues[0]!.message}</Alert>
      )}
    </Stack>
  );
}

function Response({ of: { status, headers, body } }: { readonly of: RejectionResponse }) {
  const contentType = headers['content-type'] ?? '';
  const isPage = /^text\/html/i.test(contentType);
  return (
    <div className={classes.response} aria-live="polite">
      <pre className={classes.head} tabIndex={0} role="region" aria-label="Status and headers">
        {[`HTTP/1.1 ${status}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\n')}
      </pre>
      {body !== undefined && isPage && <TemplateFrame page={body} />}
      {body !== undefined && <CodeBlock value={isJsonMediaType(contentType) ? pretty(body) : body} what="the body" />}
      {body === undefined && (
        <Text fz="sm" c="dimmed">
          There is no body: the user’s browser goes to that address.
        </Text>
      )}
    </div>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
