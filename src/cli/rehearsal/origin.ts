/** The upstream of a rehearsal: it keeps what it is sent and answers from a script. Nothing leaves the process. */
import { Rejection } from '../../model/rejection.ts';
import type { OutboundRequest } from '../../model/request.ts';
import type { ResourceKind } from '../../model/resource.ts';
import type { BodySource } from '../../model/response.ts';
import type { Origin } from '../../upstream/origin.ts';
import { type SharedCopies, shareCopies } from '../../upstream/shared-copy.ts';

/** What the upstream answers. */
export interface ScriptedAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A request that has left. */
export interface Forwarded {
  readonly method: string;
  readonly target: string;
  /** Names and values alternating. */
  readonly headers: readonly string[];
  readonly body: Buffer | undefined;
}

export interface Taken {
  /** At most one request is under way at a time. */
  readonly forwarded: Forwarded | undefined;
  readonly answered: ScriptedAnswer | undefined;
  /** What was looked up that the script does not have. */
  readonly unscripted: readonly string[];
}

export interface ScriptedOrigin extends Origin, SharedCopies {
  /** Returns what happened since the last call. */
  taken(): Taken;
}

export interface OriginScript {
  readonly kinds: Iterable<ResourceKind>;
  /** What the server has, by target; for the gateway's own look-ups. A probe of anything else finds it absent. */
  readonly has: ReadonlyMap<string, ScriptedAnswer>;
  /** Returns the answer to what is being sent; undefined: the upstream is away. */
  readonly answer: () => ScriptedAnswer | undefined;
}

/** Returns the upstream of a script, of which answers are shared as they are of the real one. */
export const scriptedOrigin = (script: OriginScript): ScriptedOrigin => {
  const kinds = [...script.kinds];
  let leaving: Forwarded | undefined;
  let forwarded: Forwarded | undefined;
  let answered: ScriptedAnswer | undefined;
  let unscripted: string[] = [];
  /** What is shared is asked for by a look-up that says nothing of the caller; it counts as forwarded all the same. */
  let shared: string | undefined;

  const answer = (): ScriptedAnswer => {
    forwarded = leaving;
    answered = script.answer();
    if (answered === undefined) throw new Rejection('upstream-unreachable', 'nothing is sent in a rehearsal');
    return answered;
  };
  const look = (target: string): ScriptedAnswer => {
    if (target === shared) {
      leaving = { method: 'GET', target, headers: [], body: undefined };
      return answer();
    }
    const found = script.has.get(target);
    if (found === undefined) unscripted.push(target);
    return found ?? absent(kinds, target);
  };
  const sharing = shareCopies(
    {
      async send() {
        const { status, headers, body } = answer();
        return { status, headers, body: sourceOf(body) };
      },
      async read(target, maxBytes) {
        const found = look(target);
        const body = found.body.subarray(0, maxBytes);
        return { ...found, body, whole: body.length === found.body.length };
      },
      healthy: () => true,
      close: async () => undefined,
    },
    () => 0,
  );
  return {
    ...sharing,
    async send(request, cancellation) {
      const { method, target, headers, body } = request;
      leaving = { method, target, headers, body: await bytesOf(body) };
      shared = request.cache === undefined ? undefined : target;
      return sharing.send(request, cancellation).finally(() => {
        shared = undefined;
      });
    },
    taken() {
      const last = { forwarded, answered, unscripted };
      forwarded = undefined;
      answered = undefined;
      unscripted = [];
      return last;
    },
  };
};

const bytesOf = async (body: OutboundRequest['body']): Promise<Buffer | undefined> => {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** The answer by which a probe knows that there is no such id; 404 where no probe asks. */
const absent = (kinds: readonly ResourceKind[], target: string): ScriptedAnswer => {
  const probe = kinds
    .map((kind) => kind.probe)
    .find((one) => one !== undefined && target.startsWith(one.pathBefore) && target.endsWith(one.pathAfter));
  const [body] = probe?.absentBodies ?? [];
  if (body !== undefined) return { status: 200, headers: {}, body: Buffer.from(body) };
  return { status: probe?.absentStatuses[0] ?? 404, headers: {}, body: Buffer.alloc(0) };
};

const sourceOf = (bytes: Buffer): BodySource => {
  let end: (() => void) | undefined;
  const finish = (): void => {
    const last = end;
    end = undefined;
    last?.();
  };
  return {
    whole: () => bytes,
    pipe(sink) {
      end = () => sink.end();
      if (bytes.length === 0 || sink.write(bytes)) finish();
    },
    resume: finish,
    abort() {
      end = undefined;
    },
  };
};
