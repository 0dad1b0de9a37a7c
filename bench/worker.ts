/** Processes that work by order: a line of JSON in, a line of JSON out when it is done. */
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Running, start } from './processes.ts';

export interface Worker<Order, Answer> {
  readonly process: Running;
  /** One at a time. Rejects with the worker's last words when it ends instead of answering. */
  ask(order: Order): Promise<Answer>;
}

/** Starts a script of this folder on a core, with flags of Node before its name and words behind it. */
export const startWorker = <Order, Answer>(
  core: 0 | 1,
  script: string,
  { flags = [], words = [] }: { flags?: readonly string[]; words?: readonly string[] } = {},
): Worker<Order, Answer> => {
  const running = start(core, [process.execPath, ...flags, join(import.meta.dirname, script), ...words]);
  const { child, complaint } = running;
  const lines = createInterface({ input: child.stdout });
  // One that has ended is found out by the answer that does not come.
  child.stdin.on('error', () => undefined);
  return {
    process: running,
    async ask(order) {
      const over = new AbortController();
      const { signal } = over;
      const ended = once(child, 'close', { signal }).then(() => {
        throw new Error(`${script} ended: ${complaint()}`);
      });
      child.stdin.write(`${JSON.stringify(order)}\n`);
      try {
        const [text] = await Promise.race([once(lines, 'line', { signal }), ended]);
        return JSON.parse(String(text));
      } finally {
        over.abort();
        ended.catch(() => undefined);
      }
    },
  };
};

/** Answers the orders on standard input, one after the other, until there are no more. */
export const obey = async <Order, Answer>(work: (order: Order) => Promise<Answer>): Promise<void> => {
  for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(`${JSON.stringify(await work(JSON.parse(line)))}\n`);
};
