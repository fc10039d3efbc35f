/** Where the library says what an operator should know; never a secret. */
export type PersistenceLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  detail?: Record<string, unknown>,
) => void;

export const silent: PersistenceLog = () => undefined;
