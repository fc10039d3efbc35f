import { Group, Skeleton, Stack } from '@mantine/core';

/** The shape of a page that is on its way. */
export function PageSkeleton() {
  return (
    <Stack gap="lg" p="md" aria-busy="true" aria-label="Loading" role="status">
      <Group justify="space-between">
        <Skeleton height={28} width={190} />
        <Skeleton height={32} width={110} />
      </Group>
      <Skeleton height={14} width="55%" />
      <RowsSkeleton />
    </Stack>
  );
}

/** The shape of a list that is on its way. */
export function RowsSkeleton({ rows = 5 }: { readonly rows?: number }) {
  return (
    <Stack gap={10} aria-hidden>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={42} radius="md" style={{ opacity: 1 - row / (rows + 2) }} />
      ))}
    </Stack>
  );
}
