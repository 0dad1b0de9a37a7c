/**
 * The group `identity`: one gateway, asked for the same 10,000 canvases by 1,000 users who show tokens, by the same users
 * with the cookies of their sessions, and once more with tokens while 1,000 others are logging in at a provider that takes
 * its time.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './contenders.ts';
import { startGateway } from './gateway.ts';
import { type Load, measure, type Sample, startLoad } from './http.ts';
import { makeIdentities, requestsOf, seedLedger, seedLogins } from './identities.ts';
import { accepts, freePort, start, stopAll, untilItWorks } from './processes.ts';
import { median, rotated } from './rounds.ts';

export interface IdentityOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface IdentityRow extends Sample {
  readonly name: string;
  readonly what: string;
}

export interface IdentityResults {
  readonly rows: readonly IdentityRow[];
  readonly failing: readonly string[];
}

const LOGINS = 1000;

interface Case {
  readonly name: string;
  readonly what: string;
  readonly loggingIn: number;
  readonly load: Load;
  readonly samples: Sample[];
}

interface Field {
  readonly cases: readonly Case[];
  readonly contender: Contender;
  readonly started: Awaited<ReturnType<Contender['start']>>;
  readonly providerUrl: string;
}

const setUp = async (folder: string, seconds: number): Promise<Field> => {
  const [upstreamPort, providerPort, port] = [await freePort(), await freePort(), await freePort()];
  const providerUrl = `http://127.0.0.1:${providerPort}`;
  const { keysFile, requestsFile } = await makeIdentities(folder, providerUrl);
  const ledgerFile = join(folder, 'ownership.db');
  await seedLedger(ledgerFile);
  const cookiesFile = join(folder, 'cookies.json');
  const values = await seedLogins(ledgerFile);
  writeFileSync(cookiesFile, JSON.stringify(requestsOf(values.map((value) => `cookie: __Host-jaaz-session=${value}`))));
  for (const [at, script, ...words] of [
    [upstreamPort, 'upstream.ts'],
    [providerPort, 'peers/slow-provider.ts', String(seconds * 10)],
  ] as const) {
    const running = start(1, [process.execPath, join(import.meta.dirname, script), String(at), ...words]);
    await untilItWorks(running, () => accepts(at));
  }
  const wiring = { port, upstreamPort, keysFile, ledgerFile, redisPort: undefined, provider: providerUrl };
  const started = { ...(await startGateway({ folder: join(folder, 'gateway'), ...wiring })), port };
  const contender: Contender = { name: 'gateway', what: '', version: () => '', start: async () => started };
  const byToken = startLoad(requestsFile);
  const cases: Case[] = [
    { name: 'bearer', what: 'a token', loggingIn: 0, load: byToken, samples: [] },
    { name: 'cookie', what: 'a session', loggingIn: 0, load: startLoad(cookiesFile), samples: [] },
    { name: 'bearer-beside-logins', what: `a token; ${LOGINS} log in`, loggingIn: LOGINS, load: byToken, samples: [] },
  ];
  return { cases, contender, started, providerUrl };
};

/** What a browser sends with a page that its user opens; fetch would say something else. */
const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };

/** Begins a login and comes back from the provider, which does not answer; resolves with what gives the login up. */
const logIn = async (port: number): Promise<() => void> => {
  const at = `http://127.0.0.1:${port}`;
  const begin = request(`${at}/auth/login`, { agent: false, headers: NAVIGATION }).end();
  const [begun] = (await once(begin, 'response')) as [IncomingMessage];
  begun.resume();
  const state = new URL(begun.headers.location ?? '').searchParams.get('state') ?? '';
  const cookie = (begun.headers['set-cookie'] ?? []).map((one) => one.split(';', 1)[0]).join('; ');
  const callback = request(`${at}/auth/callback?code=c&state=${state}`, {
    agent: false,
    headers: { ...NAVIGATION, cookie },
  });
  // It is given up, or answered after the gateway's patience is over: neither is measured.
  callback.on('error', () => undefined).on('response', (answer) => answer.resume());
  callback.end();
  await once(callback, 'finish');
  return () => void callback.destroy();
};

const waitingAt = async (providerUrl: string): Promise<number> => {
  const answer = await fetch(`${providerUrl}/waiting`);
  return ((await answer.json()) as { waiting: number }).waiting;
};

/** Measures a case while so many log in, or throws when they did not. */
const sampleOf = async (field: Field, { load, loggingIn }: Case, millis: number): Promise<Sample> => {
  const { contender, started, providerUrl } = field;
  const leave: Array<() => void> = [];
  try {
    while (leave.length < loggingIn)
      leave.push(...(await Promise.all(Array.from({ length: 50 }, () => logIn(started.port)))));
    const waiting = loggingIn === 0 ? 0 : await waitingAt(providerUrl);
    const sample = await measure({ contender, started }, load, millis);
    if (loggingIn > 0 && waiting === 0) throw new Error('nobody waits at the provider');
    return sample;
  } finally {
    for (const giveUp of leave) giveUp();
  }
};

const rowOf = ({ name, what, samples }: Case): IdentityRow => ({
  name,
  what,
  cpuMicrosPerRequest: median(samples.map((sample) => sample.cpuMicrosPerRequest)),
  requestsPerSecond: median(samples.map((sample) => sample.requestsPerSecond)),
  p99Millis: median(samples.map((sample) => sample.p99Millis)),
});

/** Runs the group; nothing that it started is left. */
export const benchIdentity = async ({ rounds, seconds, say }: IdentityOptions): Promise<IdentityResults> => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-identity-'));
  try {
    const field = await setUp(folder, seconds);
    const failing: string[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      for (const each of rotated(field.cases, round)) {
        if (failing.includes(each.name)) continue;
        try {
          // The first round warms up.
          const sample = await sampleOf(field, each, seconds * 1000);
          if (round > 0) each.samples.push(sample);
        } catch (error) {
          failing.push(each.name);
          say(`${each.name} FAILS: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      say(round === 0 ? 'warmed up' : `round ${round} of ${rounds} done`);
    }
    return { rows: field.cases.filter(({ name }) => !failing.includes(name)).map(rowOf), failing };
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
};
