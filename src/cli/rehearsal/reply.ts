/** The client's side of a rehearsal: it keeps what it is shown. */
import type { FilteredResponse } from '../../model/response.ts';
import type { Reply, Sent } from '../../pipeline/decide.ts';
import { problem } from '../../server/respond.ts';

/** An answer as the client sees it. */
export interface Shown {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** False when the connection was cut within the body. */
  readonly whole: boolean;
}

/** Returns the transport's side of one answer, and what was shown once it is over. */
export const keepingReply = (): { readonly reply: Reply; readonly shown: () => Shown | undefined } => {
  let shown: Shown | undefined;
  const keep = (answer: Shown): Sent => {
    shown = answer;
    return { status: answer.status, outcome: answer.whole ? 'complete' : 'upstream-broken' };
  };
  const reply: Reply = {
    async send({ status, headers, body }, extra) {
      return keep({ status, headers: headersOf([...headers, ...extra]), ...(await collect(body)) });
    },
    async refuse(rejection, requestId, extra) {
      const { head, body } = problem(rejection, requestId);
      const more = rejection.headers.includes('ratelimit') ? [] : extra;
      return keep({ status: rejection.status, headers: headersOf([...head, ...more]), body, whole: true });
    },
  };
  return { reply, shown: () => shown };
};

const collect = async (body: FilteredResponse['body']): Promise<Pick<Shown, 'body' | 'whole'>> => {
  if (body === undefined || Buffer.isBuffer(body)) return { body: body ?? Buffer.alloc(0), whole: true };
  const ready = body.whole();
  if (ready !== undefined) return { body: ready, whole: true };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    body.pipe({
      write(chunk) {
        chunks.push(chunk);
        return true;
      },
      end: () => resolve({ body: Buffer.concat(chunks), whole: true }),
      fail: () => resolve({ body: Buffer.concat(chunks), whole: false }),
    });
  });
};

/** Returns headers by name; of a name that is there twice, both values. */
export const headersOf = (pairs: readonly string[]): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {};
  for (let index = 0; index < pairs.length; index += 2) {
    const name = (pairs[index] ?? '').toLowerCase();
    const value = pairs[index + 1] ?? '';
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return headers;
};
