import type * as OidcProvider from 'oidc-provider';
import type { SandboxLog } from './sandbox-log.js';

/**
 * Imports oidc-provider. While it loads it warns on the console about Node versions below 22, on which it works; that
 * warning goes to the log instead.
 */
export async function loadProvider(log: SandboxLog): Promise<typeof OidcProvider> {
  const { warn } = console;
  console.warn = (message: unknown) => log('info', String(message));
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
}
