import { Anchor, Text } from '@mantine/core';
import type { Decision } from '#lib/contracts';
import { Link } from 'react-router';
import { CodeBlock } from '../../parts/code-block.js';
import { Section } from '../../parts/section.js';

/** What the rejection handler has made for the caller, as text: nothing in it is run here. */
export function CallersAnswer({
  rejection: { handler, response },
}: {
  readonly rejection: NonNullable<Decision['rejection']>;
}) {
  const { status, headers, body } = response;
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return (
    <Section
      title="Response for the caller"
      lead={
        <>
          Made by{' '}
          <Anchor component={Link} inherit underline="always" to={`/access/rejection-handlers/${handler.id}`}>
            {handler.name}
          </Anchor>
          .
        </>
      }
    >
      <CodeBlock value={[`HTTP/1.1 ${status}`, ...head, '', body ?? ''].join('\n').trimEnd()} what="the response" />
      {body === undefined && (
        <Text fz="sm" c="dimmed">
          It has no body.
        </Text>
      )}
    </Section>
  );
}
