import { Group, Skeleton, Stack, Title } from '@mantine/core';

/** The shape of a page that is on its way; `whole` when nothing else on it is its heading. */
export function PageSkeleton({ whole = false }: { readonly whole?: boolean }) {
  return (
    <Stack gap="lg" aria-busy="true" aria-label="Loading" role="status">
      {whole && (
        <Title order={1} pos="absolute" w={1} h={1} style={{ overflow: 'hidden', clipPath: 'inset(50%)' }}>
          Loading
        </Title>
      )}
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
