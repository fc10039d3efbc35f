import { Button, Group, Text } from '@mantine/core';
import classes from './form-footer.module.css';

export interface FormFooterProps {
  readonly dirty: boolean;
  readonly pending: boolean;
  readonly onCancel: () => void;
  /** Default: Save. */
  readonly action?: string;
}

/** The end of a form: it stays in sight. */
export function FormFooter({ dirty, pending, onCancel, action = 'Save' }: FormFooterProps) {
  return (
    <Group className={classes.footer} justify="space-between" gap="xs">
      <Text fz="sm" c="dimmed" aria-live="polite">
        {dirty ? 'Not saved yet' : ''}
      </Text>
      <Group gap="xs">
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={pending}>
          {action}
        </Button>
      </Group>
    </Group>
  );
}
