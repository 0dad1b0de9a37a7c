/** Runs the tests of one file: each begins anew with what is owned, and ends with what was not as expected. */
import type { UpstreamEvent } from '../../model/event.ts';
import { positionOf } from '../../policy/document.ts';
import type { Position } from '../../policy/fault.ts';
import type { WrittenMatrix, WrittenRequest } from '../../policy/test-document.ts';
import { callsOf, ledgerOf } from '../rehearsal/belongings.ts';
import { type Heard, hearing } from '../rehearsal/hearing.ts';
import { type Rehearsed, rehearsal } from '../rehearsal/rehearsal.ts';
import { eventFailures, requestFailures } from './expectations.ts';
import type { LoadedTests } from './load.ts';
import { type EventOutcome, eventOutcome, type RequestOutcome, requestOutcome } from './outcome.ts';
import { askedOf, belongingsOf, callerOf, issuersOf, pendingOf, upstreamOf } from './scene.ts';

export interface TestResult extends Position {
  readonly name: string;
  /** In lines; none when it passed. */
  readonly failures: readonly string[];
  /** For the golden file; a cell of a matrix has its decision alone. */
  readonly outcome: RequestOutcome | EventOutcome | string;
}

/** Is told of everything that was rehearsed. */
export interface Witness {
  readonly sawRequest: (rehearsed: Rehearsed) => void;
  readonly sawEvent: (event: UpstreamEvent, heard: Heard) => void;
}

/** Resolves to the result of each test, in the order of the file. */
export const runTests = async (tests: LoadedTests, witness: Witness): Promise<readonly TestResult[]> => {
  const results: TestResult[] = [];
  for (const [index, written] of tests.written.requests.entries()) {
    const { name, as, expect } = written;
    const outcome = await ask(tests, { written, as }, witness);
    results.push({ name, ...place(tests, ['requests', index]), failures: requestFailures(expect, outcome), outcome });
  }
  for (const [index, written] of tests.written.events.entries()) {
    const { name, expect } = written;
    const ledger = await ledgerOf(belongingsOf(tests.written));
    const event = { name: written.event, payload: structuredClone(written.payload) };
    const heard = await hearing({ policy: tests.policy, ledger })(event);
    witness.sawEvent({ ...event, payload: written.payload }, heard);
    const outcome = eventOutcome(heard);
    const failures = eventFailures(expect, outcome, tests.written);
    results.push({ name, ...place(tests, ['events', index]), failures, outcome });
  }
  for (const [index, matrix] of tests.written.matrix.entries()) {
    results.push(...(await runMatrix(tests, { matrix, index }, witness)));
  }
  return results;
};

const place = ({ document }: LoadedTests, path: ReadonlyArray<string | number>): Position => positionOf(document, path);

type Carrier = Omit<WrittenRequest, 'name' | 'as' | 'expect'>;

const ask = async (
  { written: file, policy }: LoadedTests,
  { written, as }: { readonly written: Carrier; readonly as: string },
  witness: Witness,
): Promise<RequestOutcome> => {
  const ledger = await ledgerOf(belongingsOf(file));
  const calls = callsOf(pendingOf(file));
  const stage = rehearsal({ policy, issuers: issuersOf(file), ledger, calls, has: upstreamOf(file) });
  const asked = askedOf(written, callerOf(file, as));
  let rehearsed = await stage.request(asked);
  for (let sent = 1; sent < written.repeat; sent += 1) rehearsed = await stage.request(asked);
  witness.sawRequest(rehearsed);
  return requestOutcome(rehearsed);
};

interface IndexedMatrix {
  readonly matrix: WrittenMatrix;
  readonly index: number;
}

const runMatrix = async (tests: LoadedTests, { matrix, index }: IndexedMatrix, witness: Witness) => {
  const results: TestResult[] = [];
  for (const [row, written] of matrix.rows.entries()) {
    for (const [column, as] of matrix.as.entries()) {
      const decision = typeof written.expect === 'string' ? written.expect : written.expect[column];
      const found = await ask(tests, { written, as }, witness);
      results.push({
        name: `${matrix.name}: ${written.send} as ${as}`,
        ...place(tests, ['matrix', index, 'rows', row]),
        failures: requestFailures({ decision }, found),
        outcome: found.decision,
      });
    }
  }
  return results;
};
