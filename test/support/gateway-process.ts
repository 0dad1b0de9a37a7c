/** The gateway as a process of its own, to be killed, or told to change. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestIssuer, testIssuer } from './issuer.ts';

export interface GatewayProcess {
  readonly issuer: TestIssuer;
  /** The folder of its files; `gateway.yaml`, the ledger and the admin token are there. */
  readonly directory: string;
  /** The public side of the process that runs now. */
  url(): string;
  adminUrl(): string;
  /** The lines that it has logged, oldest first. */
  log(): ReadonlyArray<Readonly<Record<string, unknown>>>;
  signal(name: NodeJS.Signals): void;
  /** The most memory that the process that runs now has ever held, in bytes. Linux only. */
  peakMemory(): number;
  /** Ends the process as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same files. */
  restart(): Promise<void>;
  /** Ends the process and removes its files. */
  stop(): Promise<void>;
}

/** Starts the gateway in front of an upstream, with files of its own; policies are relative to its folder. `more` are further sections. */
export const startGatewayProcess = async (
  upstreamUrl: string,
  prepare: (directory: string) => readonly string[] = () => [resolve('policies/jaaz.yaml')],
  more: object = {},
): Promise<GatewayProcess> => {
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
    policies: prepare(directory),
    audit: { file: 'audit.ndjson' },
    ...more,
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
    directory,
    url: () => running.url,
    adminUrl: () => running.adminUrl,
    log: () => running.log,
    signal: (name) => void running.child.kill(name),
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

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly adminUrl: string;
  readonly log: ReadonlyArray<Record<string, unknown>>;
}

const launch = async (file: string): Promise<Running> => {
  const words = ['src/main.ts', 'serve', '--config', file, '--json'];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
  const log: Array<Record<string, unknown>> = [];
  const lines = createInterface({ input: child.stdout });
  const urls = await new Promise<{ url: string; adminUrl: string } | undefined>((listening) => {
    lines.on('close', () => listening(undefined));
    lines.on('line', (line) => {
      const said = JSON.parse(line) as Record<string, unknown>;
      log.push(said);
      const { message, url, adminUrl } = said;
      if (message === 'listening') listening({ url: String(url), adminUrl: String(adminUrl) });
    });
  });
  if (urls === undefined) throw new Error(`the gateway ended before it listened:\n${JSON.stringify(log)}`);
  return { child, ...urls, log };
};
