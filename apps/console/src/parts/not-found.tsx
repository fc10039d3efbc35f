import { Anchor, Center, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';

/** In the place of something that is not there (any more): what is missing, and the way to the list that it would be in. */
export function NotFound({ detail }: { readonly detail: string }) {
  return (
    <Center mih="50vh">
      <Stack align="center" gap="xs">
        <title>Not found · Assent</title>
        <Title order={1} ta="center">
          {detail.replace(/\.$/, '')}
        </Title>
        <Text c="dimmed" ta="center" textWrap="balance">
          It may have been deleted, or the address mistyped.
        </Text>
        <Anchor component={Link} to=".." relative="path">
          Go to the list
        </Anchor>
      </Stack>
    </Center>
  );
}
