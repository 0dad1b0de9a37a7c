import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../src/config/config.ts';
import { type PolicyPlane, policyPlane } from '../src/gateway-policy.ts';
import { type LivePolicy, livePolicy } from '../src/policy/live.ts';
import { eventually } from './support/eventually.ts';

let folder: string;
let file: string;
let live: LivePolicy;
let plane: PolicyPlane;
let lines: Array<Record<string, unknown>>;
let swaps: number;
const swapped = (): void => {
  swaps += 1;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-plane-'));
  file = join(folder, 'p.yaml');
  lines = [];
  swaps = 0;
  write('one');
  const loaded = livePolicy([file]);
  if ('faults' in loaded) throw new Error('the policy is wrong');
  live = loaded;
  plane = policyPlane({ config, live, log, swapped });
});
afterEach(() => {
  plane.close();
  rmSync(folder, { recursive: true });
});

const write = (route: string): void =>
  writeFileSync(file, `{ version: 1, name: ${route}, routes: [{ id: ${route}, match: GET /${route} }] }`);

const config = {
  admin: { host: '127.0.0.1', port: 0 },
  ledger: {
    get sqlite() {
      return join(folder, 'ownership.db');
    },
  },
} as Config;

const collect = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
const log = {
  debug: collect('debug'),
  info: collect('info'),
  warn: collect('warn'),
  error: collect('error'),
  flush: () => undefined,
};

describe('a reload', () => {
  test('that is good is told once, with what is live now', () => {
    write('two');
    expect(plane.admin.reload()).toMatchObject({ done: true, answer: { outcome: 'loaded', policy: { name: 'two' } } });
    const { sha256 } = live.current;
    expect(lines).toEqual([{ level: 'info', message: 'policy-reloaded', because: 'command', generation: 2, sha256 }]);
    expect(plane.numbers()).toMatchObject({ generation: 2, name: 'two', sha256, failures: 0, lastFailureMillis: 0 });
    expect(swaps).toBe(1);
  });

  test('that is refused is told with each fault, and counted', () => {
    writeFileSync(file, 'version: 2\nname: x\nrutes: []\n');
    expect(plane.admin.reload()).toMatchObject({
      done: false,
      answer: { outcome: 'refused', policy: { name: 'one' } },
    });
    plane.reload();
    const { lastFailure } = live;
    expect(lastFailure?.faults.length).toBeGreaterThan(1);
    const [first, ...faults] = lines.slice(0, lines.length / 2);
    expect(first).toMatchObject({ level: 'error', message: 'policy-refused', because: 'command', generation: 1 });
    expect(faults).toEqual(
      lastFailure?.faults.map(() => ({
        level: 'error',
        message: 'policy-fault',
        fault: expect.stringContaining(file),
      })),
    );
    expect(lines[lines.length / 2]).toMatchObject({ message: 'policy-refused', because: 'signal' });
    expect(plane.numbers()).toMatchObject({ generation: 1, failures: 2, lastFailureMillis: lastFailure?.atMillis });
    expect(swaps).toBe(0);
  });

  test('that changes nothing is a line for those who look for it', () => {
    expect(plane.admin.reload()).toMatchObject({ done: true, answer: { outcome: 'unchanged' } });
    expect(lines).toMatchObject([{ level: 'debug', message: 'policy-unchanged' }]);
    expect(swaps).toBe(0);
  });
});

describe('a roll-back', () => {
  test('is told with where it came from', () => {
    write('two');
    plane.admin.reload();
    expect(plane.admin.rollBack()).toMatchObject({
      done: true,
      answer: { outcome: 'rolled-back', policy: { name: 'one', rolledBackFrom: { generation: 2 } } },
    });
    expect(lines.at(-1)).toMatchObject({ level: 'warn', message: 'policy-rolled-back', from: 2, generation: 1 });
    expect(swaps).toBe(2);
  });

  test('with nothing before is not done', () => {
    expect(plane.admin.rollBack()).toMatchObject({ done: false, answer: { outcome: 'nothing-earlier' } });
    expect([lines, swaps]).toEqual([[], 0]);
  });
});

test('once open, it sees the files change', async () => {
  await plane.open();
  write('two');
  await eventually(() => live.current.policy.name === 'two');
  expect(lines.filter(({ level }) => level !== 'debug')).toMatchObject([
    { message: 'policy-reloaded', because: 'change' },
  ]);
});

describe('the admin token', () => {
  const tokenFile = () => join(folder, 'admin.token');

  test('is in a file that only its owner can read, whatever was there before', async () => {
    writeFileSync(tokenFile(), 'old');
    chmodSync(tokenFile(), 0o666);
    await plane.open();
    expect(statSync(tokenFile()).mode & 0o777).toBe(0o600);
    expect(readFileSync(tokenFile(), 'utf8')).toBe(`${plane.admin.token}\n`);
    expect(plane.admin.token).toMatch(/^[\w-]{43}$/);
  });

  test('does not follow a link that somebody left there', async () => {
    writeFileSync(join(folder, 'target'), 'theirs');
    symlinkSync('target', tokenFile());
    symlinkSync('target', `${tokenFile()}.${process.pid}`);
    await plane.open();
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('theirs');
    expect(readFileSync(tokenFile(), 'utf8')).toContain(plane.admin.token);
  });

  test('is another at each start', () => {
    expect(policyPlane({ config, live, log, swapped: () => undefined }).admin.token).not.toBe(plane.admin.token);
  });
});
