/** The gateway as a process of its own, to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestIssuer, testIssuer } from './issuer.ts';

export interface GatewayProcess {
  readonly issuer: TestIssuer;
  /** The public side of the process that runs now. */
  url(): string;
  /** The most memory that the process that runs now has ever held, in bytes. Linux only. */
  peakMemory(): number;
  /** Ends the process as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same files. */
  restart(): Promise<void>;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/** Starts the gateway in front of an upstream, with files of its own. */
export const startGatewayProcess = async (upstreamUrl: string): Promise<GatewayProcess> => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-process-'));
  const issuer = await testIssuer(directory);
  const file = join(directory, 'gateway.yaml');
  const { name, issuer: iss, audience, keys } = issuer.settings;
  const config = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    upstream: { url: upstreamUrl },
    issuers: [{ name, issuer: iss, audience, algorithms: ['RS256'], keys }],
    ledger: { sqlite: 'ownership.db' },
    policies: [resolve('policies/jaaz.yaml')],
    audit: { file: 'audit.ndjson' },
  };
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify(config));
  let running = await launch(file);

  const kill = async (): Promise<void> => {
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    issuer,
    url: () => running.url,
    peakMemory() {
      const status = readFileSync(`/proc/${running.child.pid}/status`, 'latin1');
      return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    kill,
    async restart() {
      running = await launch(file);
    },
    async stop() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

const launch = async (file: string): Promise<{ child: ChildProcess; url: string }> => {
  const words = ['src/main.ts', 'serve', '--config', file, '--json'];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const { message, url } = JSON.parse(line) as { message?: string; url?: string };
    if (message !== 'listening' || url === undefined) continue;
    child.stdout.resume();
    return { child, url };
  }
  throw new Error(`the gateway ended before it listened:\n${said.join('\n')}`);
};
