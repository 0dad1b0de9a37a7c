/** `npm test`: sees to the programs that the tests start, runs them all, and ends with the totals in one line. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** What the tests run besides Node, and the Debian packages that bring it. */
const PROGRAMS: ReadonlyArray<{ readonly program: string; readonly debian: string }> = [
  { program: 'redis-server', debian: 'redis-server' },
  { program: 'chromium', debian: 'chromium' },
];

/** Debian's own Python, which is the one that has its packages, and what the tests import there. */
const PYTHON = '/usr/bin/python3';
const MODULES: ReadonlyArray<{ readonly module: string; readonly debian: string }> = [
  { module: 'socketio', debian: 'python3-socketio' },
  { module: 'websocket', debian: 'python3-websocket' },
  { module: 'aiohttp', debian: 'python3-aiohttp' },
  { module: 'fastapi', debian: 'python3-fastapi' },
  { module: 'uvicorn', debian: 'python3-uvicorn' },
  { module: 'jwt', debian: 'python3-jwt' },
  { module: 'cryptography', debian: 'python3-cryptography' },
];

interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: ReadonlyArray<{ readonly status: string; readonly assertionResults: readonly unknown[] }>;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not in this folder, or not to be run by us: the same for the purpose.
      return false;
    }
  });

/** Returns those of the modules that cannot be imported; all of them where there is no Python. */
const missingModules = (): typeof MODULES => {
  const look = 'import importlib.util, sys\nfor name in sys.argv[1:]:\n if importlib.util.find_spec(name): print(name)';
  const { stdout } = spawnSync(PYTHON, ['-c', look, ...MODULES.map(({ module }) => module)], { encoding: 'utf8' });
  const found = new Set(stdout?.split('\n'));
  return MODULES.filter(({ module }) => !found.has(module));
};

const aptGet = (args: readonly string[]): boolean => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr } = spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) process.stderr.write(Buffer.concat([stdout ?? Buffer.of(), stderr ?? Buffer.of()]));
  return status === 0;
};

/** Returns true when every program is there, installing what is missing where that is possible. */
const ensurePrograms = (): boolean => {
  const absent = [...PROGRAMS.filter(({ program }) => !isOnPath(program)), ...missingModules()];
  const missing = absent.map(({ debian }) => debian);
  if (missing.length === 0) return true;
  const names = missing.join(' ');
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    say(`The tests need ${names}. Install it first, on Debian or Ubuntu: sudo apt-get install ${names}`);
    return false;
  }
  say(`The tests need ${names}, which is not installed: apt-get install ${names}`);
  const installed = aptGet(['update']) && aptGet(['install', '-y', '--no-install-recommends', ...missing]);
  if (!installed) say(`apt-get could not install ${names}.`);
  return installed;
};

/** How long vitest may take to end after its report is written: past that, a test left something that never ends. */
const GRACE_MILLIS = 30_000;

/** Sends a signal to a process and to all that it started; those that are gone already are no fault. */
const signalGroup = (leader: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

/**
 * Resolves with the exit code of vitest, or with 1 when a signal ended it or it did not end by itself. It runs in a
 * process group of its own, of which nothing is left behind.
 */
const runVitest = (args: readonly string[], report: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const stdio = ['ignore', 'inherit', 'inherit'] as const;
    const child = spawn(process.execPath, [vitest, 'run', ...args], { cwd: ROOT, stdio: [...stdio], detached: true });
    const { pid } = child;
    child.on('error', reject);
    if (pid === undefined) return;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => signalGroup(pid, signal));
    let reportedAt: number | undefined;
    const watch = setInterval(() => {
      if (reportedAt === undefined && existsSync(report)) reportedAt = performance.now();
      if (reportedAt === undefined || performance.now() - reportedAt < GRACE_MILLIS) return;
      say(
        'The tests are done, but something that they started does not end. It is ended now, and counts as a failure.',
      );
      signalGroup(pid, 'SIGKILL');
    }, 1000);
    child.on('exit', (code) => {
      clearInterval(watch);
      signalGroup(pid, 'SIGKILL');
      resolve(code ?? 1);
    });
  });

/** A file that did not load has no tests that could fail: it counts as one. */
const unloadable = ({ testResults }: Report): number =>
  testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0).length;

const readReport = (file: string): Totals => {
  const report: Report = JSON.parse(readFileSync(file, 'utf8'));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable(report),
    skipped: report.numPendingTests + report.numTodoTests,
  };
};

const totalsOf = (file: string): Totals => {
  try {
    return readReport(file);
  } catch (error) {
    process.stderr.write(`The report of the tests cannot be read: ${String(error)}\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
};

const main = async (args: readonly string[]): Promise<number> => {
  const isLive = args.includes('--live');
  if (isLive && (process.env.JAAZ_URL ?? '') === '') {
    say('JAAZ_URL is needed: where a running Jaaz is, such as JAAZ_URL=http://127.0.0.1:57988 npm run test:live');
    return 2;
  }
  if (!ensurePrograms()) {
    say('0 passed, 1 failed');
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'gateway-tests-'));
  const file = join(folder, 'report.json');
  const scope = isLive ? ['test/live'] : ['--exclude', 'test/live/**'];
  const rest = args.filter((arg) => arg !== '--live');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const code = await runVitest([...reporters, ...scope, ...rest], file);
  const { passed, failed, skipped } = totalsOf(file);
  rmSync(folder, { recursive: true });
  // Faults outside of any test, such as an unhandled rejection, are in the exit code only.
  const unexplained = failed === 0 && (code !== 0 || passed === 0);
  const faults = unexplained ? 1 : failed;
  say(`${passed} passed, ${faults} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return faults === 0 ? 0 : 1;
};

process.exitCode = await main(process.argv.slice(2));
