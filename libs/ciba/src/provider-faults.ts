/** The provider could not be asked just now; the same call may succeed later. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
}

/** The provider, or our registration at it, cannot work until somebody changes the configuration. */
export class ProviderMisconfigured extends Error {
  override readonly name = 'ProviderMisconfigured';
}

/** What a fault of the provider says; nothing is told about other errors, whose messages may quote anything. */
export function faultMessage(error: unknown): string {
  const isFault = error instanceof ProviderUnavailable || error instanceof ProviderMisconfigured;
  return isFault ? error.message : 'unexpected error';
}
