import { AppShell, Burger, Group, NavLink, ScrollArea, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDoorEnter } from '@tabler/icons-react';
import { Suspense, useEffect } from 'react';
import { Link, Outlet, useLocation } from 'react-router';
import { PageSkeleton } from '../parts/page-skeleton.js';
import classes from './app-shell.module.css';
import { navigation } from './navigation.js';
import { useSession, WithSession } from './session.js';
import { UserMenu } from './user-menu.js';

/** The frame of every page: where one is, where one can go, who one is. */
export function ConsoleShell() {
  return (
    <WithSession>
      <Frame />
    </WithSession>
  );
}

function Frame() {
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const { via } = useSession();
  useEffect(close, [pathname, close]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 228, breakpoint: 'md', collapsed: { mobile: !opened } }}
      padding={0}
      classNames={{ header: classes.header, navbar: classes.navbar, main: classes.main }}
    >
      <a className={classes.skip} href="#content">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Navigation" />
            <UnstyledButton component={Link} to="/overview" className={classes.brand}>
              <img src="/console/assent.svg" alt="" width={26} height={26} />
              <Text span fw={680} fz="lg">
                Assent
              </Text>
            </UnstyledButton>
          </Group>
          <UserMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label="Pages">
        <ScrollArea type="auto" scrollbarSize={6} className={classes.navigation}>
          {navigation.map(({ title, entries }) => (
            <section key={title} className={classes.group} aria-label={title}>
              <Text component="h2" className={classes.groupTitle}>
                {title}
              </Text>
              {entries.map(({ to, label, icon: Icon }) => {
                const active = pathname === to || pathname.startsWith(`${to}/`);
                return (
                  <NavLink
                    key={to}
                    component={Link}
                    to={to}
                    label={label}
                    active={active}
                    aria-current={active ? 'page' : undefined}
                    leftSection={<Icon size={17} stroke={1.7} aria-hidden />}
                    className={classes.link}
                  />
                );
              })}
            </section>
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <div className={classes.page}>
          {via === 'open' && (
            <p className={classes.open}>
              <IconDoorEnter size={16} aria-hidden />
              <span>Open console: nobody has to log in here.</span>
            </p>
          )}
          <Suspense fallback={<PageSkeleton />}>
            <Outlet />
          </Suspense>
        </div>
      </AppShell.Main>
    </AppShell>
  );
}
