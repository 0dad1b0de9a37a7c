/** `explain`: shows what the gateway would do with one request, stage by stage, and why. Nothing is ever sent. */
import { readFileSync } from 'node:fs';
import type { OwnershipLedger } from '../authz/ownership.ts';
import type { PendingCalls } from '../authz/pending.ts';
import type { Config } from '../config/config.ts';
import type { Variables } from '../config/environment.ts';
import { ownPathOf } from '../gateway-own.ts';
import { type CallAnswer, isCallId } from '../model/call.ts';
import type { Policy } from '../model/policy.ts';
import { type ResourceKind, type ResourceRef, resourceKey } from '../model/resource.ts';
import type { Fault } from '../policy/fault.ts';
import { readSources } from '../policy/load.ts';
import { routePlaces } from '../policy/places.ts';
import type { Source } from '../policy/scope.ts';
import { LedgerError } from '../store/ledger-error.ts';
import { openLedgerForReading } from '../store/sqlite/read-only-ledger.ts';
import { type Explanation, explanation } from './explanation.ts';
import { explanationText } from './explanation-text.ts';
import { type Belonging, callsOf, ledgerOf, overlayOf } from './rehearsal/belongings.ts';
import type { ScriptedAnswer } from './rehearsal/origin.ts';
import { rehearsal } from './rehearsal/rehearsal.ts';
import type { Caller } from './rehearsal/stand-in.ts';
import { type Output, readSettings, type Settings, writeFaults } from './settings.ts';

export interface ExplainOptions {
  readonly file: string;
  readonly method: string;
  readonly target: string;
  /** `ISSUER|USER`, or USER of the only issuer; undefined: nobody. */
  readonly as?: string | undefined;
  readonly role: readonly string[];
  readonly header: ReadonlyArray<readonly [name: string, value: string]>;
  /** A file. */
  readonly body?: string | undefined;
  /** What is the caller’s, another’s, and on the server without being anybody’s. */
  readonly own: readonly ResourceRef[];
  readonly other: readonly ResourceRef[];
  readonly unowned: readonly ResourceRef[];
  /** The calls that wait for an answer, each with what it waits in. */
  readonly pending: ReadonlyArray<readonly [place: ResourceRef, call: string]>;
  /** The catalogues’ entries: name and file. */
  readonly catalogue: ReadonlyArray<readonly [name: string, file: string]>;
  /** Whose is what is read from the configured ledger. */
  readonly live: boolean;
  readonly json: boolean;
  readonly variables: Variables;
}

/** Resolves with the exit code: 0 when it was explained, whatever the verdict; 1 when the ledger cannot be read; 2, 3. */
export async function explain(options: ExplainOptions, output: Output): Promise<number> {
  const settings = readSettings(options);
  if ('faults' in settings) return refuseFiles(settings.faults, options, output);
  const read = readSources(settings.config.policies);
  if ('faults' in read) return refuseFiles(read.faults, options, output);
  const ground: Ground = { ...settings, sources: read.sources };
  try {
    const told = await rehearse(options, ground);
    if (options.json) output.out(JSON.stringify(told));
    else for (const line of explanationText(told)) output.out(line);
    return 0;
  } catch (error) {
    if (!(error instanceof MisuseError) && !(error instanceof LedgerError)) throw error;
    output.err(error.message);
    return error instanceof MisuseError ? 2 : 1;
  }
}

/** An option that does not fit the configuration. */
class MisuseError extends Error {}

interface Ground extends Settings {
  readonly sources: readonly Source[];
}

const refuseFiles = (faults: readonly Fault[], options: ExplainOptions, output: Output): number => {
  writeFaults(faults, options, output);
  return 3;
};

const rehearse = async (options: ExplainOptions, ground: Ground): Promise<Explanation> => {
  const { config, policy, sources } = ground;
  const { method, target } = options;
  const caller = callerOf(options, config);
  const path = target.split('?', 1)[0] ?? '';
  if (ownPathOf(path, config) !== undefined)
    throw new MisuseError(`${path} is the gateway’s own: no policy is asked what becomes of it.`);
  const has = new Map([...catalogues(options, ground), ...options.unowned.map((ref) => presence(ref, policy))]);
  const body = options.body === undefined ? undefined : contentOf(options.body);
  const headers = options.header.flat();
  const named = new Set(options.header.map(([name]) => name.toLowerCase()));
  if (body !== undefined && !named.has('content-type')) headers.push('content-type', 'application/json');
  // Pages are opened by browsers, which say that they do.
  const isPage = policy.match(method, path)?.route.access === 'page';
  if (isPage && !named.has('accept')) headers.push('accept', 'text/html');
  const ledger = await openLedger(options, ground, caller);
  try {
    const issuers = config.issuers.map(({ name }) => name);
    const calls = await waiting(options, policy, ledger);
    const login = config.issuers.some((issuer) => issuer.login !== undefined);
    const stage = rehearsal({ policy, issuers, ledger, calls, has, hosts: config.listen.hosts, login });
    const rehearsed = await stage.request({ method, target, headers, body, caller, answer: () => undefined });
    const as = caller && `${caller.issuer}|${caller.user}`;
    return await explanation({ method, target, as, policy, places: routePlaces(sources), ledger, rehearsed });
  } finally {
    await ledger.close();
  }
};

const callerOf = ({ as, role }: ExplainOptions, { issuers }: Config): Caller | undefined => {
  if (as === undefined) {
    if (role.length > 0) throw new MisuseError('--role needs --as: nobody has no roles.');
    return undefined;
  }
  const bar = as.indexOf('|');
  const [only, ...more] = issuers;
  if (bar === -1) {
    if (only !== undefined && more.length === 0) return { issuer: only.name, user: as, roles: role };
    throw new MisuseError(`--as ${as}: there are several issuers; expected ISSUER|USER.`);
  }
  const issuer = as.slice(0, bar);
  if (issuers.some(({ name }) => name === issuer)) return { issuer, user: as.slice(bar + 1), roles: role };
  throw new MisuseError(
    `--as ${as}: there is no issuer ${issuer}; expected ${issuers.map(({ name }) => name).join(' or ')}.`,
  );
};

const kindOf = ({ kind }: ResourceRef, policy: Policy): ResourceKind => {
  const found = policy.resources.get(kind);
  if (found !== undefined) return found;
  throw new MisuseError(`The policy has no resource ${kind}; expected ${[...policy.resources.keys()].join(' or ')}.`);
};

/** What the probe for an id finds, when the server has it. */
const presence = (ref: ResourceRef, policy: Policy): readonly [string, ScriptedAnswer] => {
  const { probe } = kindOf(ref, policy);
  if (probe === undefined) throw new MisuseError(`--unowned ${resourceKey(ref)}: the policy has no probe for it.`);
  return [`${probe.pathBefore}${ref.id}${probe.pathAfter}`, jsonAnswer(Buffer.from('{"id":"there"}'))];
};

const catalogues = (
  { catalogue }: ExplainOptions,
  { sources }: Ground,
): ReadonlyArray<readonly [string, ScriptedAnswer]> => {
  const known = new Map(sources.flatMap(({ policy }) => Object.entries(policy.catalogues)));
  return catalogue.map(([name, file]) => {
    const found = known.get(name);
    if (found === undefined) throw new MisuseError(`--catalogue ${name}: the policy has no such catalogue.`);
    return [found.get, jsonAnswer(contentOf(file))];
  });
};

const jsonAnswer = (body: Buffer): ScriptedAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
});

const contentOf = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new MisuseError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** A call is announced to whoever owns what it waits in. */
const waiting = async ({ pending }: ExplainOptions, policy: Policy, ledger: OwnershipLedger): Promise<PendingCalls> => {
  const announced: CallAnswer[] = [];
  for (const [place, call] of pending) {
    kindOf(place, policy);
    const [record] = await ledger.find([place]);
    if (!isCallId(call)) throw new MisuseError(`--pending ${resourceKey(place)}: the id of a call is too long.`);
    if (record === undefined || record.state === 'deleted') {
      throw new MisuseError(`--pending ${resourceKey(place)}: nobody owns it, so nobody is asked there.`);
    }
    announced.push({ place, owner: record.owner, call });
  }
  return callsOf(announced);
};

/** Whom the things belong to that are another’s. */
const SOMEBODY = 'somebody-else';

const openLedger = async (
  options: ExplainOptions,
  ground: Ground,
  caller: Caller | undefined,
): Promise<OwnershipLedger> => {
  const { live, own, other } = options;
  for (const ref of [...own, ...other]) kindOf(ref, ground.policy);
  if (live) {
    if (own.length + other.length > 0)
      throw new MisuseError('--own and --other are what --live is to tell: give one of both.');
    return overlayOf(openLedgerForReading({ path: ground.config.ledger.sqlite }));
  }
  if (caller === undefined && own.length > 0) throw new MisuseError('--own needs --as: nobody owns nothing.');
  const ofCaller = own.map((ref): Belonging => ({ ref, owner: `${caller?.issuer}|${caller?.user}` }));
  const issuer = caller?.issuer ?? ground.config.issuers[0]?.name;
  return ledgerOf([...ofCaller, ...other.map((ref): Belonging => ({ ref, owner: `${issuer}|${SOMEBODY}` }))]);
};
