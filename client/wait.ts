/** Waiting that can be given up. */

/** Returns what Retry-After says (RFC 9110, section 10.2.3), a second at least; undefined where it says nothing. */
export const retryAfterMillis = (headers: Headers): number | undefined => {
  const value = headers.get('retry-after') ?? '';
  // A date is by the clock of whoever wrote it, and so is Date.
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  const millis = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(millis) ? undefined : Math.max(1000, millis);
};

/** Resolves as the work does, or rejects with the signal's reason as soon as it is aborted. */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    void work.then(resolve, reject).then(() => signal?.removeEventListener('abort', abort));
  });

/** Resolves after so long; leaves no timer behind when it is aborted before. */
export const pause = async (millis: number, signal: AbortSignal | undefined): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, millis);
  });
  await unlessAborted(over, signal).finally(() => clearTimeout(timer));
};
