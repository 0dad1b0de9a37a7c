/** Requests as the forwarding stage gets them, and their answers read to the end. */
import { afterEach } from 'vitest';
import type { OutboundRequest } from '../../src/model/request.ts';
import type { UpstreamAnswer } from '../../src/model/response.ts';
import { origin } from '../../src/upstream/forward.ts';
import type { Cancellation, Origin } from '../../src/upstream/origin.ts';

const opened: Origin[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
/** Returns an origin that is closed after the test. */
export const to = (url: string, now?: () => number): Origin => {
  const one = origin(now === undefined ? { url } : { url, now });
  opened.push(one);
  return one;
};
export const request = (method: string, target = '/', more: Partial<OutboundRequest> = {}): OutboundRequest =>
  ({ method, target, headers: [], body: undefined, timeoutMillis: 5_000, ...more }) as unknown as OutboundRequest;
export const open = (): Cancellation => ({ cancelled: false, onCancel: undefined });

export const collect = (from: UpstreamAnswer): Promise<{ status: number; text: string; broken: boolean }> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const finish = (broken: boolean) =>
      resolve({ status: from.status, text: Buffer.concat(chunks).toString(), broken });
    from.body.pipe({ write: (chunk) => chunks.push(chunk) > 0, end: () => finish(false), fail: () => finish(true) });
  });
export const ask = async (one: Origin, method: string, ...rest: [target?: string, more?: Partial<OutboundRequest>]) => {
  const got = await collect(await one.send(request(method, ...rest), open()));
  // The connection is free a turn after its answer ended.
  await new Promise(setImmediate);
  return got;
};
