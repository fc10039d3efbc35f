import { Button } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { Link, useParams, useSearchParams } from 'react-router';
import { rejectionHandlers } from '../../api/rejection-handlers.js';
import { Loaded } from '../../parts/loaded.js';
import { PageHeader } from '../../parts/page-header.js';
import { PageSkeleton } from '../../parts/page-skeleton.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { StoredPage } from '../../parts/stored-page.js';
import { useMayWrite } from '../../shell/session.js';
import { HandlerForm } from './handler-form.js';
import { handlerValuesOf, newHandlerValues } from './handler-values.js';

const listPath = '/access/rejection-handlers';
const path = [{ label: 'Access' }, { label: 'Rejection Handlers', to: listPath }];

/** Access › Rejection Handlers › one of them, or a new one. */
export function RejectionHandlerPage() {
  const { id = '' } = useParams();
  const [search] = useSearchParams();
  const copied = search.get('copy');
  if (id !== 'new') return <StoredHandler key={id} id={id} />;
  return copied === null ? <NewHandler values={newHandlerValues} /> : <CopyOfHandler id={copied} />;
}

function NewHandler({ values }: { readonly values: typeof newHandlerValues }) {
  return (
    <>
      <PageHeader title="Add Rejection Handler" path={path} />
      <HandlerForm handler={null} values={values} />
    </>
  );
}

function CopyOfHandler({ id }: { readonly id: string }) {
  const query = rejectionHandlers.useOne(id);
  return (
    <Loaded query={query} skeleton={<PageSkeleton whole />}>
      {(handler) => (
        <NewHandler values={{ ...handlerValuesOf(handler), name: `${handler.name} (copy)`.slice(0, 64) }} />
      )}
    </Loaded>
  );
}

function StoredHandler({ id }: { readonly id: string }) {
  const mayWrite = useMayWrite();
  return (
    <StoredPage
      id={id}
      resource={rejectionHandlers}
      noun="rejection handler"
      nameOf={({ name }) => name}
      path={path}
      listPath={listPath}
      removable={({ predefined }) => !predefined}
      head={({ predefined }) => ({
        ...(predefined && {
          state: <StatusBadge tone="quiet">Predefined</StatusBadge>,
          lead: 'It comes with Assent and stays as it is. Duplicate it to make one of your own.',
        }),
        actions: mayWrite && (
          <Button
            component={Link}
            to={`${listPath}/new?copy=${id}`}
            variant="default"
            leftSection={<IconCopy size={16} aria-hidden />}
          >
            Duplicate
          </Button>
        ),
      })}
    >
      {(handler) => <HandlerForm handler={handler} values={handlerValuesOf(handler)} />}
    </StoredPage>
  );
}
