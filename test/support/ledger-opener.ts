/** A thread that opens one new ledger after another, each at the same moment as its rivals, and tells what went wrong. */
import { parentPort, workerData } from 'node:worker_threads';
import { openDatabase } from '../../src/store/sqlite/schema.ts';

export interface OpenerData {
  readonly paths: readonly string[];
  readonly rivals: number;
  /** How many have come to each of the paths. */
  readonly arrived: Int32Array;
}

const { paths, rivals, arrived }: OpenerData = workerData;
const faults: string[] = [];
for (const [index, path] of paths.entries()) {
  Atomics.add(arrived, index, 1);
  while (Atomics.load(arrived, index) < rivals);
  try {
    openDatabase({ path, busyTimeoutMillis: 10_000, now: Date.now }).close();
  } catch (error) {
    faults.push(String(error));
  }
}
parentPort?.postMessage(faults);
