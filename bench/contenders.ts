/** The contenders, a row each: what it needs, and how it is started. To add one is to add a row. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startGateway } from './gateway.ts';
import { AUDIENCE, type Identities, ISSUER } from './identities.ts';
import { haproxyConfig } from './peers/haproxy.ts';
import { nginxConfig } from './peers/nginx.ts';
import { accepts, freePort, isInstalled, type Running, start, stop, untilItWorks, versionOf } from './processes.ts';

/** What all contenders are given. */
export interface Stage {
  readonly folder: string;
  readonly upstreamPort: number;
  readonly identities: Identities;
  readonly ledgerFile: string;
}

export interface Started {
  readonly process: Running;
  readonly port: number;
  readonly readyMillis?: number;
}

export interface Contender {
  readonly name: string;
  readonly what: string;
  /** A program that must be there, and the flag with which it tells its version. */
  readonly needs?: readonly [program: string, versionFlag: string];
  readonly version: () => string;
  readonly start: (stage: Stage) => Promise<Started>;
  /** Shown below the table, to compare with: not a proxy. */
  readonly orientation?: true;
}

const packageVersion = (file: string): string =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', file), 'utf8')).version;

const gatewayVersion = (): string => `${packageVersion('package.json')}, Node ${process.versions.node}`;

const script = (name: string): string => join(import.meta.dirname, name);

/** Starts a command that listens on a port, and waits until it does. */
const listening = async (port: number, command: readonly string[]): Promise<Started> => {
  const running = start(0, command);
  await untilItWorks(running, () => accepts(port));
  return { process: running, port };
};

const startRedis = async (folder: string): Promise<number> => {
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const redis = start(1, ['redis-server', ...settings]);
  await untilItWorks(redis, () => accepts(port));
  return port;
};

const gateway = async (stage: Stage, name: string, redisPort: number | undefined): Promise<Started> => {
  const port = await freePort();
  const { upstreamPort, ledgerFile } = stage;
  const { keysFile } = stage.identities;
  const folder = join(stage.folder, name);
  return { ...(await startGateway({ folder, port, upstreamPort, keysFile, ledgerFile, redisPort })), port };
};

export const CONTENDERS: readonly Contender[] = [
  {
    name: 'gateway-memory',
    what: 'verifies, counts, checks the owner, audits; one process alone',
    version: gatewayVersion,
    start: async (stage) => {
      // The first start after an installation strips and compiles all sources, and keeps them for those that follow.
      await stop((await gateway(stage, 'first-start', undefined)).process);
      return gateway(stage, 'gateway-memory', undefined);
    },
  },
  {
    name: 'gateway-redis',
    what: 'the same, limits and owners shared through Redis',
    needs: ['redis-server', '--version'],
    version: () => `${gatewayVersion()}, Redis ${versionOf('redis-server', '--version')}`,
    start: async (stage) => gateway(stage, 'gateway-redis', await startRedis(stage.folder)),
  },
  {
    name: 'haproxy-rs256',
    what: 'verifies, counts',
    needs: ['haproxy', '-v'],
    version: () => versionOf('haproxy', '-v'),
    start: async ({ folder, upstreamPort, identities: { publicKeyFile } }) => {
      const port = await freePort();
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, haproxyConfig({ port, upstreamPort, publicKeyFile, issuer: ISSUER, audience: AUDIENCE }));
      return listening(port, ['haproxy', '-db', '-f', file]);
    },
  },
  {
    name: 'nginx',
    what: 'passes on',
    needs: ['nginx', '-v'],
    version: () => versionOf('nginx', '-v'),
    start: async ({ folder, upstreamPort }) => {
      const port = await freePort();
      const own = join(folder, 'nginx');
      mkdirSync(own);
      const file = join(own, 'nginx.conf');
      writeFileSync(file, nginxConfig({ port, upstreamPort, folder: own }));
      return listening(port, ['nginx', '-p', own, '-c', file]);
    },
  },
  {
    name: 'http-proxy',
    what: 'passes on',
    version: () => `${packageVersion('node_modules/http-proxy/package.json')}, Node ${process.versions.node}`,
    start: async ({ upstreamPort }) => {
      const port = await freePort();
      const target = `http://127.0.0.1:${upstreamPort}`;
      return listening(port, [process.execPath, script('peers/http-proxy.ts'), String(port), target]);
    },
  },
  {
    name: 'node-http',
    what: 'answers itself',
    version: () => `Node ${process.versions.node}`,
    start: async () => {
      const port = await freePort();
      return listening(port, [process.execPath, script('upstream.ts'), String(port)]);
    },
    orientation: true,
  },
];

/** True when what a contender needs is on this machine. */
export const isAvailable = ({ needs }: Contender): boolean => needs === undefined || isInstalled(...needs);
