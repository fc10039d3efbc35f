import { Anchor, Breadcrumbs, Group, Text, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import { Address } from './address.js';

export interface PageHeaderProps {
  readonly title: string;
  /** What the title is preceded by in the window's title; the title itself when left out. */
  readonly windowTitle?: string;
  readonly lead?: ReactNode;
  /** The way here; a step without an address is a group of the navigation. */
  readonly path?: ReadonlyArray<{ readonly label: string; readonly to?: string }>;
  /** Beside the title: a state. */
  readonly state?: ReactNode;
  readonly actions?: ReactNode;
}

/** The head of a page. Whoever comes here by a link has the title read to them. */
export function PageHeader({ title, windowTitle, lead, path = [], state, actions }: PageHeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { key } = useLocation();
  useEffect(() => {
    if (key !== 'default') heading.current?.focus({ preventScroll: true });
    // Once, when the page comes: a filter that changes the address does not move the focus.
  }, []);
  return (
    <header>
      <title>{`${windowTitle ?? title} · Assent`}</title>
      {path.length > 0 && (
        <Breadcrumbs mb={6} separator="›" separatorMargin={6} aria-label="Path">
          {path.map(({ label, to }) =>
            to === undefined ? (
              <Text key={label} fz="sm" c="dimmed">
                {label}
              </Text>
            ) : (
              <Anchor key={label} component={Link} to={to} fz="sm">
                {label}
              </Anchor>
            ),
          )}
        </Breadcrumbs>
      )}
      <Group justify="space-between" align="flex-start" gap="sm" mb={lead ? 10 : 'lg'}>
        <Group gap="sm" miw={0} style={{ flex: '1 1 16rem' }}>
          <Title order={1} ref={heading} tabIndex={-1} style={{ overflowWrap: 'anywhere' }}>
            <Address url={title} />
          </Title>
          {state}
        </Group>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {lead && (
        <Text c="dimmed" fz="sm" maw="44rem" mb="lg" textWrap="pretty">
          {lead}
        </Text>
      )}
    </header>
  );
}
