import { Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

export interface EmptyStateProps {
  readonly icon: Icon;
  readonly title: string;
  /** What to do, and why. */
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** In the place of a list that has nothing in it yet. */
export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
  return (
    <Paper p="xl">
      <Stack align="center" gap="xs" py="lg" maw={440} mx="auto">
        <ThemeIcon size={52} radius="xl" variant="light">
          <Icon size={26} stroke={1.6} aria-hidden />
        </ThemeIcon>
        <Title order={2} mt="xs" ta="center">
          {title}
        </Title>
        <Text c="dimmed" fz="sm" ta="center" textWrap="balance">
          {children}
        </Text>
        {action && <div style={{ marginTop: 10 }}>{action}</div>}
      </Stack>
    </Paper>
  );
}
