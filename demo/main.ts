/** `npm start`: the gateway on defaults, a provider to log in at and, unless told otherwise, a stand-in for Jaaz. */
import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startFailure } from '../src/cli/serve.ts';
import { readSettings, writeFaults } from '../src/cli/settings.ts';
import { processVariables } from '../src/config/environment.ts';
import { PORT_FORM, parsePort, parseUpstream, UPSTREAM_FORM } from '../src/config/values.ts';
import { startGateway } from '../src/gateway.ts';
import { createLog, type Log } from '../src/telemetry/log.ts';
import { type Guide, guideText, pageUrl } from './guide.ts';
import { DEMO_ALIAS, DEMO_AUDIENCE, type DemoIssuer, rememberAddress } from './issuer.ts';
import { type StandIn, startStandIn } from './jaaz/server.ts';
import { replaceFile } from './kept.ts';
import { type DemoProvider, startDemoProvider } from './provider.ts';

const USAGE =
  'usage: npm start [-- --upstream URL --port 8080 --admin-port 9090 --provider-port 57989 --data DIR --json]';
const POLICY = fileURLToPath(new URL('../policies/jaaz.yaml', import.meta.url));
/** Where Jaaz itself would listen; the addresses in its data then stay right from one start to the next. */
const STAND_IN_PORT = 57_988;
const TOKENS_LAST = { seconds: 12 * 3600, words: '12 hours' };
const CLOSE_MILLIS = 5000;

/** What to close, the first one first. */
const open: Array<() => Promise<void>> = [];
const options = readOptions();
endOnSignals();
try {
  process.exitCode = await start();
} catch (error) {
  console.error(startFailure(error));
  await closeAll();
  process.exit(1);
}

async function start(): Promise<number> {
  mkdirSync(options.data, { recursive: true });
  let log: Log | undefined;
  const report = (error: Error) => log?.error({ err: error }, 'the provider failed');
  const provider = await startDemoProvider({ dataDir: options.data, port: options.providerPort, report });
  open.unshift(() => provider.close());
  const standIn = options.upstream === undefined ? await openStandIn() : undefined;
  if (standIn !== undefined) open.unshift(() => standIn.close());
  const upstreamUrl = options.upstream ?? standIn?.url ?? '';
  const file = join(options.data, 'gateway.yaml');
  // It holds the secret that the gateway shares with the provider.
  replaceFile(file, gatewayYaml(upstreamUrl, provider), 0o600);

  const settings = readSettings({ file, flags: { ...options.flags, upstreamUrl }, variables: processVariables() });
  if ('faults' in settings) {
    writeFaults(settings.faults, options, { out: console.log, err: console.error });
    await closeAll();
    return 3;
  }
  const kept = createLog({ level: settings.config.log.level, file: join(options.data, 'gateway.log') });
  log = kept;
  const gateway = await startGateway({ ...settings, log: kept });
  open.unshift(async () => {
    await gateway.close();
    kept.flush();
  });
  provider.admit(namesOf(gateway.url));
  // Not before it all runs: a start that fails leaves what another one that runs has printed.
  rememberAddress(options.data, provider.issuer.url);
  await tell({ ...gateway, upstreamUrl, standIn: standIn !== undefined }, provider.issuer);
  return 0;
}

/** The addresses under which a browser on this machine may know the gateway. */
function namesOf(url: string): readonly string[] {
  return [url, url.replace('127.0.0.1', 'localhost')];
}

async function tell(
  { url, adminUrl, upstreamUrl, standIn }: Pick<Guide, 'url' | 'adminUrl' | 'upstreamUrl' | 'standIn'>,
  issuer: DemoIssuer,
): Promise<void> {
  const token = (user: string) => issuer.issueToken({ user, expiresInSeconds: TOKENS_LAST.seconds });
  const guide: Guide = {
    url,
    adminUrl,
    providerUrl: issuer.url,
    upstreamUrl,
    standIn,
    dataDir: options.data,
    tokens: { alice: await token('alice'), bob: await token('bob') },
    tokensLast: TOKENS_LAST.words,
  };
  console.log(options.json ? JSON.stringify({ ...guide, page: pageUrl(guide) }) : guideText(guide));
}

async function openStandIn(): Promise<StandIn> {
  const dataDir = join(options.data, 'jaaz');
  try {
    return await startStandIn({ port: STAND_IN_PORT, dataDir, recordRequests: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return await startStandIn({ port: 0, dataDir, recordRequests: false });
  }
}

function gatewayYaml(upstreamUrl: string, { issuer, client }: DemoProvider): string {
  return `# Written by every start of the demonstration; copy it to keep changes.
listen: { host: 127.0.0.1, port: 8080 }
admin: { host: 127.0.0.1, port: 9090 }
upstream: { url: '${upstreamUrl}' }
issuers:
  - name: ${DEMO_ALIAS}
    issuer: ${issuer.url}
    audience: ${DEMO_AUDIENCE}
    algorithms: [RS256]
    keys: { file: demo-issuer/keys.json }
    claims: { user: sub, roles: roles }
    login:
      title: Demonstration
      client-id: ${client.id}
      client-secret: ${client.secret}
      scopes: [openid, profile, offline_access]
sessions: { idle: 12h, lifetime: 7d }
ledger: { sqlite: ownership.db }
policies: [${JSON.stringify(relative(options.data, POLICY))}]
audit: { file: audit.ndjson }
`;
}

/**
 * The first signal closes everything, a later one does not wait for it. npm hands on the Ctrl-C that the terminal has
 * sent already: what comes within a second is the same one.
 */
function endOnSignals(): void {
  let endingSince: number | undefined;
  const end = () => {
    if (endingSince !== undefined) {
      if (Date.now() - endingSince > 1000) process.exit(1);
      return;
    }
    endingSince = Date.now();
    setTimeout(() => process.exit(1), CLOSE_MILLIS).unref();
    closeAll().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

async function closeAll(): Promise<void> {
  for (const close of open.splice(0)) await close();
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        upstream: { type: 'string' },
        port: { type: 'string' },
        'admin-port': { type: 'string' },
        'provider-port': { type: 'string' },
        data: { type: 'string', default: 'data/demo' },
        json: { type: 'boolean', default: false },
      },
    });
    const port = read('--port', values.port, { expected: PORT_FORM, parse: parsePort });
    const adminPort = read('--admin-port', values['admin-port'], { expected: PORT_FORM, parse: parsePort });
    const providerPort = read('--provider-port', values['provider-port'], { expected: PORT_FORM, parse: parsePort });
    const upstream = read('--upstream', values.upstream, { expected: UPSTREAM_FORM, parse: parseUpstream });
    const flags = { ...(port !== undefined && { port }), ...(adminPort !== undefined && { adminPort }) };
    return { upstream, providerPort, flags, data: resolve(values.data), json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

interface Form<T> {
  readonly expected: string;
  readonly parse: (text: string) => T | undefined;
}

function read<T>(flag: string, text: string | undefined, { expected, parse }: Form<T>): T | undefined {
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === undefined) throw new TypeError(`${flag} is not acceptable: expected ${expected}.`);
  return value;
}
