import { Paper, Stack, Text, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

export interface SectionProps {
  readonly title: string;
  readonly lead?: ReactNode;
  /** As tall as what stands beside it. */
  readonly tall?: boolean;
  readonly children: ReactNode;
}

/** A part of a page under a heading of its own. */
export function Section({ title, lead, tall = false, children }: SectionProps) {
  const id = useId();
  return (
    <Paper component="section" aria-labelledby={id} p={{ base: 'md', sm: 'lg' }} h={tall ? '100%' : undefined}>
      <Title order={2} id={id}>
        {title}
      </Title>
      {lead && (
        <Text c="dimmed" fz="sm" mt={2} maw="42rem">
          {lead}
        </Text>
      )}
      <Stack gap="md" mt="md">
        {children}
      </Stack>
    </Paper>
  );
}
