/** Two tables of the running chats: the task of each session, and the tool calls that wait for a human's answer. */
import type { Json } from './python-json.ts';

/** How long a tool call waits for its answer (contract section 3, /api/chat). */
const CONFIRMATION_WAIT_MILLIS = 300_000;

export type Tasks = ReturnType<typeof openTasks>;
export type Confirmations = ReturnType<typeof openConfirmations>;

/** Returns the task table; two runs of one session overwrite each other in it (contract section 3, cancel). */
export function openTasks() {
  const bySession = new Map<Json, AbortController>();
  const running = new Map<Promise<void>, AbortController>();

  return {
    /** Runs the work under the session's id; resolves when it has ended, however it ended. */
    async run(session: Json, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
      const controller = new AbortController();
      bySession.set(session, controller);
      const ended = work(controller.signal).finally(() => {
        bySession.delete(session);
        running.delete(ended);
      });
      running.set(ended, controller);
      await ended;
    },
    /** Returns false when no run of that id is known. */
    cancel(session: string): boolean {
      const controller = bySession.get(session);
      controller?.abort();
      return controller !== undefined;
    },
    async stop(): Promise<void> {
      for (const controller of running.values()) controller.abort();
      await Promise.allSettled(running.keys());
    },
  };
}

/** Returns the table of waiting tool calls; it looks at the call's id alone, and an entry never expires. */
export function openConfirmations() {
  const waiting = new Map<string, (confirmed: boolean) => void>();

  return {
    wait(id: string, signal: AbortSignal): Promise<boolean> {
      return new Promise((resolve, reject) => {
        waiting.set(id, resolve);
        setTimeout(resolve, CONFIRMATION_WAIT_MILLIS, false).unref();
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
    /** Returns false for an id that was never asked about; a second answer succeeds again. */
    answer(id: string, confirmed: boolean): boolean {
      const resolve = waiting.get(id);
      resolve?.(confirmed);
      return resolve !== undefined;
    },
  };
}
