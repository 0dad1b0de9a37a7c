/** What every part of the admin API does with a request: its body is read within a bound, and what became of it is told. */
import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import type { AuditRecord } from '../model/audit.ts';
import { Rejection } from '../model/rejection.ts';

export interface AdminEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    /** What was done, for the record. */
    deed: string;
  };
}

const MAX_BODY_BYTES = 16_384;

/** Resolves with the body of a request that says it is JSON, or rejects with a Rejection. */
export const jsonBody = async ({ req }: Context): Promise<Buffer> => {
  if (!/^application\/json(?:$|[ ;])/i.test(req.header('content-type') ?? ''))
    throw new Rejection('body-type', 'not application/json');
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of req.raw.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Rejection('body-too-large', `more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Returns what writes down each request of a part, done or refused. */
export const adminRecorder =
  (onDecision: (record: AuditRecord) => void, now: () => number): MiddlewareHandler<AdminEnv> =>
  async (context, next) => {
    const startedMillis = now();
    await next();
    const { error, res, req, env } = context;
    const { status } = res;
    const refused = error instanceof Rejection ? error : undefined;
    const [reason, detail] = refused === undefined ? [] : [refused.reason, refused.message];
    onDecision({
      ...NOTHING,
      time: new Date(now()).toISOString(),
      kind: 'admin',
      requestId: randomUUID(),
      outcome: status < 400 ? 'allowed' : status < 500 ? 'refused' : 'failed',
      reason,
      detail: detail ?? context.get('deed'),
      method: req.method,
      path: req.path,
      address: env.incoming.socket.remoteAddress ?? '',
      status,
      millis: now() - startedMillis,
    });
  };

const NOTHING = {
  route: undefined,
  owner: undefined,
  resources: [],
  claims: [],
  upstreamStatus: undefined,
  stages: {},
};
