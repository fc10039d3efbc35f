import { ActionIcon, Badge, Group, Menu, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import {
  IconBook2,
  IconChevronDown,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSun,
  IconUserCircle,
} from '@tabler/icons-react';
import { useLogout } from '../api/session.js';
import { useSession } from './session.js';

const schemes = [
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
  { value: 'auto', label: 'As the system', icon: IconDeviceDesktop },
] as const;

/** Light or dark, the documentation, who one is, and the way out. */
export function UserMenu() {
  const { user, via } = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Current = schemes.find(({ value }) => value === colorScheme)?.icon ?? IconDeviceDesktop;
  return (
    <Group gap={6} wrap="nowrap">
      <ActionIcon component="a" href="/docs" variant="subtle" color="gray" size="lg" aria-label="API reference">
        <IconBook2 size={18} stroke={1.7} />
      </ActionIcon>
      <Menu position="bottom-end" width={190}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Appearance">
            <Current size={18} stroke={1.7} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {schemes.map(({ value, label, icon: Icon }) => (
            <Menu.Item
              key={value}
              leftSection={<Icon size={16} stroke={1.7} />}
              onClick={() => setColorScheme(value)}
              fw={value === colorScheme ? 600 : undefined}
            >
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {via === 'open' ? (
        <Group gap={8} wrap="nowrap" px={8}>
          <IconUserCircle size={20} stroke={1.6} aria-hidden />
          <Text span fz="sm" fw={550} visibleFrom="xs">
            {user.name}
          </Text>
        </Group>
      ) : (
        <WhoOneIs />
      )}
    </Group>
  );
}

function WhoOneIs() {
  const { user } = useSession();
  const logout = useLogout();
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <UnstyledButton px={8} py={5} aria-label={`${user.name}, ${user.role}`}>
          <Group gap={8} wrap="nowrap">
            <IconUserCircle size={20} stroke={1.6} aria-hidden />
            <Text span fz="sm" fw={550} maw={160} truncate visibleFrom="xs">
              {user.name}
            </Text>
            <IconChevronDown size={14} aria-hidden />
          </Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Group px="sm" py={6} gap="xs" justify="space-between" wrap="nowrap">
          <Text fz="sm" truncate>
            {user.name}
          </Text>
          <Badge size="sm" style={{ flex: 'none' }}>
            {user.role}
          </Badge>
        </Group>
        <Menu.Item leftSection={<IconLogout size={16} stroke={1.7} />} onClick={() => logout.mutate()}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
