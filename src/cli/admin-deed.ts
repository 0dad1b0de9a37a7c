/** One deed at the admin API of the gateway that runs, told to people or as JSON: what `key` and `revoke` do. */
import { adminPlace } from '../config/admin.ts';
import type { Overrides, Variables } from '../config/environment.ts';
import { type AdminCall, type AdminReply, callAdmin } from './admin-call.ts';
import { seen } from './seen.ts';
import { type Output, writeFaults } from './settings.ts';

export interface AdminDeedOptions {
  readonly file: string;
  readonly flags: Overrides;
  readonly json: boolean;
  readonly variables: Variables;
}

export interface AdminDeed {
  readonly call: AdminCall;
  /** Ends each sentence of a failure: who asked in haste must not believe that it was done. */
  readonly undone: string;
  /** Returns a sentence for an answer that is not the one that was asked for. */
  readonly failureOf: (reply: AdminReply, url: string) => string | undefined;
  /** Returns the lines of an answer that is. */
  readonly told: (body: unknown) => readonly string[];
}

/**
 * Resolves with the exit code: 0 when it was done, 1 when it was not (nothing runs there, the token is not right, there is
 * nothing of that name), 3 when the configuration is not valid.
 */
export async function doAtAdmin(deed: AdminDeed, options: AdminDeedOptions, output: Output): Promise<number> {
  const place = adminPlace(options);
  if ('faults' in place) {
    writeFaults(place.faults, options, output);
    return 3;
  }
  const reply = await callAdmin(deed.call, place);
  const failure = 'failure' in reply ? `${reply.failure}${deed.undone}` : deed.failureOf(reply, place.url);
  if (failure !== undefined) {
    if (options.json) output.out(JSON.stringify({ outcome: 'failed', message: failure }));
    // Whatever answers at that port has a part in it.
    else output.err(seen(failure));
    return 1;
  }
  const { body } = reply as AdminReply;
  if (options.json) output.out(JSON.stringify(body));
  else for (const line of deed.told(body)) output.out(seen(line));
  return 0;
}

export const isObject = (body: unknown): body is Record<string, unknown> => typeof body === 'object' && body !== null;

/** Returns the sentence for an answer of which nothing more is known. */
export const refusedOr = ({ status, body }: AdminReply, url: string, undone: string): string => {
  const { code, detail } = isObject(body) ? body : {};
  if (typeof code === 'string') return `The gateway refused it (${code}): ${detail}${undone}`;
  return `What answers at ${url} (with status ${status}) is no gateway that can do this.${undone}`;
};
