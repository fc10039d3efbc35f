import { Button } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import type { adminResource } from '../api/admin-resource.js';
import { useMayWrite } from '../shell/session.js';
import { ConfirmRemoval } from './confirm-removal.js';
import { Loaded } from './loaded.js';
import { Moment } from './moment.js';
import { PageHeader, type PageHeaderProps } from './page-header.js';
import { PageSkeleton } from './page-skeleton.js';

interface Stored {
  readonly id: string;
  readonly version: number;
  readonly updatedAt: string;
}

export interface StoredPageProps<Item extends Stored> {
  readonly id: string;
  readonly resource: Pick<ReturnType<typeof adminResource<Item, never>>, 'useOne' | 'useRemove'>;
  /** What it is: `rule`. */
  readonly noun: string;
  readonly nameOf: (item: Item) => string;
  readonly path: NonNullable<PageHeaderProps['path']>;
  readonly listPath: string;
  /** Default lead: version and time of the last change. */
  readonly head?: (item: Item) => Partial<Pick<PageHeaderProps, 'windowTitle' | 'state' | 'lead' | 'actions'>>;
  readonly removable?: (item: Item) => boolean;
  /** What will be so after it was deleted, after its name. */
  readonly removal?: ReactNode;
  readonly children: (item: Item) => ReactNode;
}

/** The page of one administered object: what it is called, how it stands, and the way to delete it. */
export function StoredPage<Item extends Stored>(props: StoredPageProps<Item>) {
  const query = props.resource.useOne(props.id);
  return (
    <Loaded query={query} skeleton={<PageSkeleton whole />}>
      {(item) => <Shown {...props} item={item} />}
    </Loaded>
  );
}

function Shown<Item extends Stored>(props: StoredPageProps<Item> & { readonly item: Item }) {
  const { item, resource, noun, nameOf, path, listPath, head, removable = () => true, removal, children } = props;
  const [deleting, setDeleting] = useState(false);
  const mayWrite = useMayWrite();
  const { lead, actions, ...rest } = head?.(item) ?? {};
  return (
    <>
      <PageHeader
        title={nameOf(item)}
        path={path}
        lead={
          lead ?? (
            <>
              Version {item.version}, changed <Moment at={item.updatedAt} full />
            </>
          )
        }
        actions={
          <>
            {actions}
            {mayWrite && removable(item) && (
              <Button
                variant="default"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={() => setDeleting(true)}
              >
                Delete
              </Button>
            )}
          </>
        }
        {...rest}
      />
      {children(item)}
      <ConfirmRemoval
        {...{ resource, noun, nameOf, listPath }}
        item={deleting ? item : null}
        onClose={() => setDeleting(false)}
      >
        {removal}
      </ConfirmRemoval>
    </>
  );
}
