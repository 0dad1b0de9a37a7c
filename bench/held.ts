/** How much memory another process holds: heap and external, after a forced collection. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** With these flags a process of Node can be asked. */
export const HELD_FLAGS: readonly string[] = ['--expose-gc', '--import', join(import.meta.dirname, 'tell-held.ts')];

const DEADLINE_MILLIS = 10_000;

/** Where a process tells it. */
export const heldFile = (pid: number): string => join(tmpdir(), `jaaz-gateway-bench-${pid}-held`);

/** Returns it in bytes; rejects when the process does not say it in time. */
export const heldBytes = async (pid: number): Promise<number> => {
  const file = heldFile(pid);
  const deadline = performance.now() + DEADLINE_MILLIS;
  process.kill(pid, 'SIGUSR2');
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} does not tell what it holds`);
    await sleep(20);
  }
  const bytes = Number(readFileSync(file, 'utf8'));
  rmSync(file);
  return bytes;
};
