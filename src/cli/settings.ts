/** What every command that runs on a gateway.yaml needs: the Config and its policy, or all faults of both. */
import { relative } from 'node:path';
import type { Config } from '../config/config.ts';
import { type LoadOptions, loadConfig } from '../config/load.ts';
import { ownPathOf } from '../gateway-own.ts';
import type { Policy } from '../model/policy.ts';
import type { PathSegment } from '../model/route.ts';
import { type Fault, formatFault } from '../policy/fault.ts';
import { type LivePolicy, livePolicy } from '../policy/live.ts';
import { loadPolicy } from '../policy/load.ts';

/** Where a command writes: whole lines, without their end. */
export interface Output {
  /** What was asked for. */
  out(line: string): void;
  /** What went wrong. */
  err(line: string): void;
}

export interface Settings {
  readonly config: Config;
  readonly policy: Policy;
  /** By which another policy takes its place; `policy` is its view. */
  readonly live: LivePolicy;
}

/** Returns the settings, or every fault of the file, of the environment and of the policies together. */
export function readSettings(options: LoadOptions): Settings | { readonly faults: readonly Fault[] } {
  const loaded = loadConfig(options);
  if ('faults' in loaded) {
    const compiled = loaded.policies.length === 0 ? undefined : loadPolicy(loaded.policies);
    const more = compiled !== undefined && 'faults' in compiled ? compiled.faults : [];
    return { faults: [...loaded.faults, ...more] };
  }
  const { config } = loaded;
  const live = livePolicy(config.policies, { check: (policy) => disagreements(config, policy) });
  return 'faults' in live ? live : { config, policy: live.policy, live };
}

/** What each of the two may say by itself, and not beside the other: at the start, and of each policy that is loaded later. */
const disagreements = (config: Config, policy: Policy): readonly Fault[] =>
  [...tooMuchKept(config, policy), ...takenPaths(config, policy)].map((fault) => ({
    ...{ file: config.file, line: 0, column: 0 },
    ...fault,
  }));

type Disagreement = Pick<Fault, 'message' | 'found' | 'expected'>;

const tooMuchKept = ({ sockets: { waitingBytes } }: Config, { sockets: [socket] }: Policy): readonly Disagreement[] => {
  const kept = socket?.missed?.maxBytes ?? 0;
  if (kept <= waitingBytes) return [];
  const message =
    'a client that returns could not take what is kept for it: sockets.waiting is below the missed.size of the policy';
  return [{ message, found: `${waitingBytes} bytes`, expected: `${kept} bytes or more` }];
};

/** The gateway answers there before any policy is asked: such a route would never be reached, and nobody be told. */
const takenPaths = (config: Config, { routes, sockets, webSockets }: Policy): readonly Disagreement[] => {
  const written = [
    ...[...routes, ...webSockets].map(({ id, segments }) => ({ id, path: `/${segments.map(segmentText).join('/')}` })),
    ...sockets.map(({ path }) => ({ id: 'socket', path })),
  ];
  return written.flatMap(({ id, path }) => {
    const taken = ownPathOf(path, config);
    if (taken === undefined) return [];
    const message = `${id} of the policy is at a path at which the gateway itself answers, as it is configured`;
    return [{ message, found: path, expected: `a path that is not ${taken.endsWith('/') ? 'below ' : ''}${taken}` }];
  });
};

const segmentText = (segment: PathSegment): string => {
  if (segment.kind === 'literal') return segment.text;
  return segment.kind === 'rest' ? '*' : `{${segment.name}}`;
};

/** Writes faults for people, one a line, or as one JSON object. */
export function writeFaults(faults: readonly Fault[], options: { readonly json: boolean }, output: Output): void {
  if (options.json) {
    output.out(JSON.stringify({ valid: false, faults }));
    return;
  }
  for (const fault of faults) output.err(formatFault({ ...fault, file: shortest(fault.file) }));
  output.err(faults.length === 1 ? '1 fault' : `${faults.length} faults`);
}

/** An absolute path is told as it is seen from here, when that is shorter. */
export function shortest(file: string): string {
  if (!file.startsWith('/')) return file;
  const seen = relative('.', file);
  return seen.length < file.length ? seen : file;
}
