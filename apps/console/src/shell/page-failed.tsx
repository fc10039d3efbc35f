import { Anchor, Button, Center, Stack, Text, Title } from '@mantine/core';
import { Link, useRouteError } from 'react-router';

/** In the place of a page that could not be shown; `whole`: of everything around it as well. */
export function PageFailed({ whole = false }: { readonly whole?: boolean }) {
  const error = useRouteError();
  // After an update of the service the pages of the old one are gone.
  const outdated = error instanceof TypeError && /import/i.test(error.message);
  return (
    <Center component={whole ? 'main' : 'div'} mih="60vh" p="xl">
      <Stack align="center" gap="sm" maw={440}>
        <Title order={1}>{outdated ? 'The console has been updated' : 'This page does not work'}</Title>
        <Text c="dimmed" ta="center">
          {outdated
            ? 'Load it anew to go on with the new version.'
            : 'An error in the console keeps it from being shown. Nothing was changed by it.'}
        </Text>
        {!outdated && error instanceof Error && <code>{error.message}</code>}
        <Button onClick={() => location.reload()}>Load anew</Button>
      </Stack>
    </Center>
  );
}

/** For addresses that lead nowhere. */
export function NoSuchPage() {
  return (
    <Center mih="50vh">
      <Stack align="center" gap="xs">
        <title>Not found · Assent</title>
        <Title order={1} ta="center">
          There is no such page
        </Title>
        <Text c="dimmed" ta="center">
          The address may have been mistyped.
        </Text>
        <Anchor component={Link} to="/overview">
          Go to the overview
        </Anchor>
      </Stack>
    </Center>
  );
}
