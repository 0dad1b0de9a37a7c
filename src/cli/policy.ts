/** `policy status`, `reload`, `rollback`: what the running gateway says of its policy, asked of its admin API. */
import { type AdminPlace, adminPlace } from '../config/admin.ts';
import { formatFault } from '../policy/fault.ts';
import type { PolicyStatus } from '../policy/status.ts';
import { type AdminFailure, callAdmin } from './admin-call.ts';
import { type AdminDeedOptions, isObject } from './admin-deed.ts';
import { type Output, shortest, writeFaults } from './settings.ts';

interface Deed {
  readonly description: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

export const DEEDS: Readonly<Record<'status' | 'reload' | 'rollback', Deed>> = {
  status: { description: 'Tell which policy is live.', method: 'GET', path: '/policy' },
  reload: { description: 'Load the policy’s files anew.', method: 'POST', path: '/policy/reload' },
  rollback: { description: 'Make the policy before live again.', method: 'POST', path: '/policy/rollback' },
};

/** What the API answers: to a question the status, to a deed what became of it and the status then. */
interface Answer {
  readonly outcome: 'status' | 'loaded' | 'unchanged' | 'refused' | 'rolled-back' | 'nothing-earlier';
  readonly policy: PolicyStatus;
}

/**
 * Resolves with the exit code: 0 when it was done, 1 when it was not (nothing runs there, the token is not right, there is
 * nothing to go back to), 3 when the configuration or the policy is not valid.
 */
export async function policy(deed: Deed, options: AdminDeedOptions, output: Output): Promise<number> {
  const place = adminPlace(options);
  if ('faults' in place) {
    writeFaults(place.faults, options, output);
    return 3;
  }
  const answer = await ask(deed, place);
  if ('failure' in answer) {
    if (options.json) output.out(JSON.stringify({ outcome: 'failed', message: answer.failure }));
    else output.err(answer.failure);
    return 1;
  }
  if (options.json) output.out(JSON.stringify(answer));
  else tell(answer, output);
  if (answer.outcome === 'refused') return 3;
  return answer.outcome === 'nothing-earlier' ? 1 : 0;
}

async function ask({ method, path }: Deed, place: AdminPlace): Promise<Answer | AdminFailure> {
  const reply = await callAdmin({ method, path, open: method === 'GET' }, place);
  if ('failure' in reply) return reply;
  const { status, body } = reply;
  if (isStatus(body)) return { outcome: 'status', policy: body };
  if (isAnswer(body)) return body;
  return { failure: `What answers at ${place.url} (with status ${status}) is no gateway that can do this.` };
}

const isStatus = (body: unknown): body is PolicyStatus =>
  isObject(body) && typeof body.generation === 'number' && typeof body.sha256 === 'string';

const isAnswer = (body: unknown): body is Answer =>
  isObject(body) && typeof body.outcome === 'string' && isStatus(body.policy);

const HEADINGS: Readonly<Record<Answer['outcome'], string | undefined>> = {
  status: undefined,
  loaded: 'The policy was loaded and is live.',
  unchanged: 'The files hold what is live already: nothing was changed.',
  refused: 'The files were refused; what was live goes on.',
  'rolled-back': 'The policy before is live again.',
  'nothing-earlier': 'There is no earlier policy to go back to; what was live goes on.',
};

function tell({ outcome, policy: live }: Answer, output: Output): void {
  const heading = HEADINGS[outcome];
  const hasFailed = outcome === 'refused' || outcome === 'nothing-earlier';
  if (heading !== undefined) (hasFailed ? output.err : output.out)(heading);
  for (const [word, text] of statusLines(live)) output.out(`${word.padEnd(12)}${text}`);
  if (live.lastFailure === null) return;
  for (const fault of live.lastFailure.faults) output.err(formatFault({ ...fault, file: shortest(fault.file) }));
}

function statusLines(live: PolicyStatus): ReadonlyArray<readonly [string, string]> {
  const { previous, rolledBackFrom, lastFailure } = live;
  const lines: Array<readonly [string, string]> = [
    ['policy', `${live.name}, ${live.routes} routes`],
    ['mode', live.enforced || live.mode !== 'enforce' ? live.mode : `${live.mode}, not everywhere`],
    ['generation', `${live.generation}, loaded ${live.loadedAt}`],
    ['sha256', live.sha256],
    ...live.files.map(({ file }) => ['file', shortest(file)] as const),
  ];
  if (previous !== null) lines.push(['previous', `${previous.generation}, loaded ${previous.loadedAt}`]);
  if (rolledBackFrom !== null) {
    const { generation } = rolledBackFrom;
    lines.push(['given up', `${generation}: its files are passed over until they change; "policy reload" loads them`]);
  }
  if (lastFailure !== null) lines.push(['refused', `${lastFailure.at}, what the files say now, because:`]);
  return lines;
}
