/** A call to the broker did not return in time; whether it took effect is unknown. */
export class TimeLimitExceeded extends Error {
  override readonly name = 'TimeLimitExceeded';

  constructor(what: string, limitMs: number) {
    super(`${what} took longer than ${limitMs} ms`);
  }
}

/**
 * The outcome of `call`, if it comes in time. `late` gets a result that came after that.
 *
 * @throws TimeLimitExceeded, or what the call rejects with.
 */
export async function within<T>(
  limitMs: number,
  what: string,
  call: Promise<T>,
  late?: (result: T) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimeLimitExceeded(what, limitMs));
      if (late) call.then(late, () => {});
    }, limitMs);
  });
  try {
    return await Promise.race([call, limit]);
  } finally {
    clearTimeout(timer);
  }
}
