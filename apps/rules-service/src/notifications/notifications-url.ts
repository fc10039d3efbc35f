/** Where token providers tell that an answer is there. */
export const notificationsUrl = '/v1/ciba/notifications';
