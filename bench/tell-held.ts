/**
 * Loaded before the program under measurement: on SIGUSR2 it collects what it no longer uses and writes into a file how
 * many bytes it still holds. Needs --expose-gc.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { heldFile } from './held.ts';

const { gc: collect } = globalThis;
if (collect === undefined) throw new TypeError('needs --expose-gc');
process.on('SIGUSR2', () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const file = heldFile(process.pid);
  writeFileSync(`${file}.new`, String(heapUsed + external));
  renameSync(`${file}.new`, file);
});
