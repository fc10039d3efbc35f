import { notifications } from '@mantine/notifications';

/** Tells that something has worked. */
export const tellDone = (message: string): string => notifications.show({ message, color: 'teal', withBorder: true });
