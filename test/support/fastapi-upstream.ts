/** Debian's FastAPI and uvicorn as the server behind the gateway, with the middleware as docs/upstream-identity.md has it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Debian's own, which is the one that has its packages. */
const PYTHON = '/usr/bin/python3';

const PAGE = join(import.meta.dirname, '../../docs/upstream-identity.md');

/** Returns the first Python block of the page, which is to be pasted into a server as it stands. */
const documentedMiddleware = (): string => {
  const code = /^```python\n(.*?)^```$/ms.exec(readFileSync(PAGE, 'utf8'))?.[1];
  if (code === undefined) throw new Error(`there is no Python in ${PAGE}`);
  return code;
};

export interface FastApiUpstream {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one; `keys` is where it finds the gateway's public keys. */
export const startFastApi = async (directory: string, keys: string): Promise<FastApiUpstream> => {
  const middleware = join(directory, 'gateway_identity.py');
  writeFileSync(middleware, documentedMiddleware());
  const script = join(import.meta.dirname, 'fastapi-upstream.py');
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(PYTHON, [script, middleware, keys], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const gone = once(child, 'exit').finally(() => process.removeListener('exit', end));
  const lines = createInterface({ input: child.stdout });
  const said = await Promise.race([once(lines, 'line'), gone.then(() => undefined)]);
  if (said === undefined) throw new Error('the server ended before it listened');
  const { port } = JSON.parse(String(said[0])) as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) end();
      await gone;
    },
  };
};
