import { Button, Group, Modal, Stack, type ModalProps } from '@mantine/core';
import { useEffect, type ReactNode, type SubmitEvent } from 'react';
import { Conflict, type ConflictProps } from './conflict.js';
import classes from './form-dialog.module.css';
import { ProblemAlert, type ProblemAlertProps } from './problem-alert.js';

export interface FormDialogProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** The verb on the button. Default: Save. */
  readonly action?: string;
  readonly size?: ModalProps['size'];
  readonly form: {
    readonly problem: ProblemAlertProps | null;
    readonly pending: boolean;
    readonly forget: () => void;
    readonly conflict: ConflictProps<Readonly<Record<string, unknown>>> | null;
    readonly submit: (event: SubmitEvent) => void;
  };
  /** Nothing can be sent yet. */
  readonly incomplete?: boolean;
  readonly children: ReactNode;
}

/** A short form in a dialog. */
export function FormDialog(props: FormDialogProps) {
  const { opened, onClose, title, action = 'Save', size, form, incomplete = false, children } = props;
  useEffect(() => form.forget(), [opened]);
  return (
    <>
      <Modal
        opened={opened && form.conflict === null}
        onClose={onClose}
        title={title}
        size={size}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form noValidate onSubmit={form.submit} aria-label={title}>
          <Stack gap="md">
            {form.problem && <ProblemAlert {...form.problem} />}
            {children}
            <Group justify="flex-end" gap="xs" className={classes.footer}>
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={form.pending} disabled={incomplete}>
                {action}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      {opened && form.conflict && <Conflict {...form.conflict} />}
    </>
  );
}
