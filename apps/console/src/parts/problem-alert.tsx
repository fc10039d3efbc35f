import { Alert, Anchor, Button, Group, List, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from 'react-router';
import { ApiProblem, isSessionLost } from '../api/client.js';

export interface ProblemAlertProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
  /** What the login itself is refused for; everywhere else whoever has to log in again is told so in one place. */
  readonly ofLogin?: boolean;
  /** Room below. */
  readonly mb?: string;
  /** Problems of members that no field of the page shows; all of them when left out. */
  readonly rest?: ReadonlyArray<{ readonly pointer: string; readonly detail: string }>;
}

const places: Readonly<Record<string, string>> = {
  rule: '/access/rules/',
  'token-provider': '/settings/token-providers/',
};

/** What went wrong and what to do about it, in the words of the API. */
export function ProblemAlert({ error, onRetry, rest, ofLogin = false, mb }: ProblemAlertProps) {
  if (isSessionLost(error) && !ofLogin) return null;
  if (!(error instanceof ApiProblem)) {
    return (
      <Alert
        color="red"
        icon={<IconAlertTriangle size={18} aria-hidden />}
        title="Something went wrong"
        role="alert"
        mb={mb}
      >
        {error instanceof Error ? error.message : String(error)}
      </Alert>
    );
  }
  const { title, detail, code, type, errors = [], users = [] } = error.problem;
  const members = rest ?? errors;
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} aria-hidden />} title={title} role="alert" mb={mb}>
      {members.length === 0 ? (
        <Text fz="sm">{users.length > 0 ? 'Change or delete what uses it first:' : detail}</Text>
      ) : (
        <List fz="sm" spacing={2}>
          {members.map((member) => (
            <List.Item key={member.pointer + member.detail}>
              {member.pointer !== '' && <code>{member.pointer}</code>} {member.detail}
            </List.Item>
          ))}
        </List>
      )}
      {users.length > 0 && (
        <List fz="sm" mt={4}>
          {users.map(({ kind, id, name }) => (
            <List.Item key={id}>
              {kind}{' '}
              {places[kind] === undefined ? (
                name
              ) : (
                <Anchor component={Link} to={`${places[kind]}${id}`} fz="sm">
                  {name}
                </Anchor>
              )}
            </List.Item>
          ))}
        </List>
      )}
      <Group gap="md" mt={8}>
        {onRetry && (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
        {type.startsWith('/docs/errors/') && (
          <Anchor href={type} target="_blank" rel="noreferrer" fz="xs">
            About {code}
          </Anchor>
        )}
      </Group>
    </Alert>
  );
}
