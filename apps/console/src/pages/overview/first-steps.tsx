import { Anchor, List, Text, ThemeIcon } from '@mantine/core';
import { IconCheck, IconCircleDashed } from '@tabler/icons-react';
import type { Overview } from '#lib/contracts';
import { Link } from 'react-router';
import { Section } from '../../parts/section.js';

const steps: ReadonlyArray<readonly [name: keyof Overview['firstSteps'], text: string, to: string]> = [
  ['tokenProvider', 'Name the token provider that asks people on their phones', '/settings/token-providers'],
  ['rule', 'Add a rule: who asks, with which words', '/access/rules'],
  ['request', 'Try the rule, and ask somebody', '/test-rule'],
  ['approval', 'Have the first request approved', '/transactions'],
  ['apiClient', 'Give an application a key of its own', '/settings/api-clients'],
  ['webhookEndpoint', 'Have decisions sent to an application', '/settings/webhooks'],
];

/** What is left to do before Assent is of use to anybody; gone when it is all done. */
export function FirstSteps({ steps: done }: { readonly steps: Overview['firstSteps'] }) {
  if (steps.every(([name]) => done[name])) return null;
  return (
    <Section title="First steps" lead={`${steps.filter(([name]) => done[name]).length} of ${steps.length} are done.`}>
      <List spacing={8} center fz="sm" listStyleType="none">
        {steps.map(([name, text, to]) => (
          <List.Item
            key={name}
            icon={
              <ThemeIcon size={22} radius="xl" variant="light" color={done[name] ? 'teal' : 'gray'}>
                {done[name] ? (
                  <IconCheck size={14} aria-label="Done" />
                ) : (
                  <IconCircleDashed size={14} aria-label="To do" />
                )}
              </ThemeIcon>
            }
          >
            {done[name] ? (
              <Text span fz="sm">
                {text}
              </Text>
            ) : (
              <Anchor component={Link} to={to} fz="sm">
                {text}
              </Anchor>
            )}
          </List.Item>
        ))}
      </List>
    </Section>
  );
}
