/** A Socket.IO client of the Python line (Debian's python3-socketio), in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

export interface PythonOptions {
  readonly kind: 'sync' | 'async';
  readonly url: string;
  readonly transports: readonly ('websocket' | 'polling')[];
  /** Where the token is shown. */
  readonly place: 'auth' | 'header' | 'nowhere';
  readonly token: string;
}

interface Said {
  readonly event: string;
  readonly data: readonly unknown[];
}

/** Debian's own, which is the one that has its packages. */
const PYTHON = '/usr/bin/python3';

/** Starts a client that connects at once. */
export const pythonClient = ({ kind, url, transports, place, token }: PythonOptions) => {
  const script = join(import.meta.dirname, 'socket-client.py');
  const child = spawn(PYTHON, [script, kind, url, transports.join(','), place, token]);
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const gone = once(child, 'exit').finally(() => process.removeListener('exit', end));
  const said: Said[] = [];
  let complaints = '';
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Said));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  child.stdin.on('error', () => undefined);
  const order = (words: object): void => void child.stdin.write(`${JSON.stringify(words)}\n`);
  const heard = (event: string): ReadonlyArray<Said['data']> =>
    said.filter((one) => one.event === event).map(({ data }) => data);

  return {
    heard,
    /** Resolves with what the latest event of a name brought, once there were so many of them. */
    async hear(event: string, count = 1): Promise<readonly unknown[]> {
      const isOver = (): boolean => child.exitCode !== null && child.stdout.readableEnded;
      await eventually(() => heard(event).length >= count || isOver(), 25_000);
      const found = heard(event)[count - 1];
      if (found === undefined)
        throw new Error(`the client never said ${event}: ${JSON.stringify(said)}\n${complaints}`);
      return found;
    },
    emit: (name: string, value: unknown) => order({ do: 'emit', name, value }),
    emitBytes: (name: string, bytes: Buffer) => order({ do: 'emit', name, base64: bytes.toString('base64') }),
    /** Says `acknowledged` when it is. */
    call: (name: string, value: unknown) => order({ do: 'call', name, value }),
    /** Lets it leave as a client does that is done. */
    async quit(): Promise<void> {
      order({ do: 'quit' });
      await gone;
    },
    async kill(): Promise<void> {
      if (child.exitCode === null && child.signalCode === null) end();
      await gone;
    },
  };
};
