import { Button } from '@mantine/core';
import { IconCopy, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { rejectionHandlers } from '../../api/rejection-handlers.js';
import { Confirm } from '../../parts/confirm.js';
import { tellDone } from '../../parts/done.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { PageSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { StatusBadge } from '../../parts/status-badge.js';
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
  const { data, error } = rejectionHandlers.useOne(id);
  if (error) return <ProblemAlert error={error} />;
  if (!data) return <PageSkeleton />;
  return <NewHandler values={{ ...handlerValuesOf(data), name: `${data.name} (copy)`.slice(0, 64) }} />;
}

function StoredHandler({ id }: { readonly id: string }) {
  const { data: handler, error, refetch } = rejectionHandlers.useOne(id);
  const remove = rejectionHandlers.useRemove();
  const navigate = useNavigate();
  const mayWrite = useMayWrite();
  const [deleting, setDeleting] = useState(false);
  if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (!handler) return <PageSkeleton />;
  return (
    <>
      <PageHeader
        title={handler.name}
        path={path}
        state={handler.predefined && <StatusBadge tone="quiet">Predefined</StatusBadge>}
        lead={
          handler.predefined ? (
            'It comes with Assent and stays as it is. Duplicate it to make one of your own.'
          ) : (
            <>
              Version {handler.version}, changed <Moment at={handler.updatedAt} full />
            </>
          )
        }
        actions={
          mayWrite && (
            <>
              <Button
                component={Link}
                to={`${listPath}/new?copy=${handler.id}`}
                variant="default"
                leftSection={<IconCopy size={16} aria-hidden />}
              >
                Duplicate
              </Button>
              {!handler.predefined && (
                <Button
                  variant="default"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => setDeleting(true)}
                >
                  Delete
                </Button>
              )}
            </>
          )
        }
      />
      <HandlerForm handler={handler} values={handlerValuesOf(handler)} />
      <Confirm
        opened={deleting}
        onClose={() => {
          remove.reset();
          setDeleting(false);
        }}
        title="Delete this rejection handler?"
        action="Delete the handler"
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate(handler, {
            onSuccess: () => {
              tellDone(`${handler.name} is deleted.`);
              void navigate(listPath);
            },
          })
        }
      >
        <b>{handler.name}</b> will be gone.
      </Confirm>
    </>
  );
}
