/** One request to the admin API of the gateway that runs with a configuration, and what to say when there is no answer. */
import { readFileSync } from 'node:fs';
import type { AdminPlace } from '../config/admin.ts';

export interface AdminCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** True for what anybody may ask who reaches the admin listener: the token need not be there. */
  readonly open?: boolean;
}

export interface AdminReply {
  readonly status: number;
  /** Undefined where the answer is not JSON. */
  readonly body: unknown;
}

export interface AdminFailure {
  /** A sentence for whoever asked. */
  readonly failure: string;
}

const ANSWER_MILLIS = 30_000;

/** Resolves with the answer to a request that carries the admin token unless it is open, or with why there is none. */
export async function callAdmin(call: AdminCall, place: AdminPlace): Promise<AdminReply | AdminFailure> {
  const { method, path, body, open = false } = call;
  const token = open ? undefined : readToken(place.tokenFile);
  if (typeof token === 'object') return token;
  const headers: Record<string, string> = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  let response: Response;
  try {
    const signal = AbortSignal.timeout(ANSWER_MILLIS);
    response = await fetch(place.url + path, { method, headers, ...sent, redirect: 'manual', signal });
  } catch (error) {
    return { failure: `No gateway answers at ${place.url}: ${causeOf(error)}. Does it run with this configuration?` };
  }
  const { status } = response;
  if (status === 401)
    return { failure: `The gateway at ${place.url} does not accept the token in ${place.tokenFile}: it is another’s.` };
  return { status, body: await response.json().catch(() => undefined) };
}

function readToken(file: string): string | AdminFailure {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { failure: `There is no admin token at ${file}: no gateway runs with this ledger.` };
    return { failure: `The admin token at ${file} cannot be read (${code}). Ask as the user who runs the gateway.` };
  }
}

/** The system's word for it is in the cause. */
function causeOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? name ?? 'unknown error';
}
