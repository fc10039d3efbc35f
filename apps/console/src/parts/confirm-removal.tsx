import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import type { adminResource } from '../api/admin-resource.js';
import { Confirm } from './confirm.js';
import { tellDone } from './done.js';

interface Removable {
  readonly id: string;
  readonly version: number;
}

export interface ConfirmRemovalProps<Item extends Removable> {
  readonly resource: Pick<ReturnType<typeof adminResource<Item, never>>, 'useRemove'>;
  /** What is to be deleted; null: nothing is asked. */
  readonly item: Item | null;
  /** What it is: `rule`. */
  readonly noun: string;
  readonly nameOf: (item: Item) => string;
  readonly onClose: () => void;
  /** Where one is afterwards. Left out: here. */
  readonly listPath?: string;
  /** What will be so afterwards, after the name of what will be gone. */
  readonly children?: ReactNode;
}

/** Asks, then deletes. */
export function ConfirmRemoval<Item extends Removable>(props: ConfirmRemovalProps<Item>) {
  const { resource, item, noun, nameOf, onClose, listPath, children = 'will be gone.' } = props;
  const remove = resource.useRemove();
  const navigate = useNavigate();
  const close = (): void => {
    remove.reset();
    onClose();
  };
  return (
    <Confirm
      opened={item !== null}
      onClose={close}
      title={`Delete this ${noun}?`}
      action={`Delete the ${noun}`}
      pending={remove.isPending}
      error={remove.error}
      onConfirm={() => {
        if (item === null) return;
        remove.mutate(item, {
          onSuccess: () => {
            tellDone(`${nameOf(item)} is deleted.`);
            close();
            if (listPath !== undefined) void navigate(listPath);
          },
        });
      }}
    >
      {item && <b>{nameOf(item)}</b>} {children}
    </Confirm>
  );
}
