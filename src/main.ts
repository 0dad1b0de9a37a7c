#!/usr/bin/env node
/** The process: arguments, signals, exit codes. */
import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// Before anything of ours is loaded: from the second start on, no source is stripped and compiled again, and the gateway
// is ready in three fifths of the time. Where nothing can be kept, nothing is.
const place = cachePlace();
const cache = place === undefined ? undefined : enableCompileCache(place).directory;
// V8 may decide that objects made at some place live long, and make them in the old space at once. With objects of
// requests that is wrong, and expensive: dead there until the next full collection, they keep all alive that they point
// to, so that a seventh of what every request allocates is copied and marked for nothing.
setFlagsFromString('--no-allocation-site-pretenuring');
// After some idle seconds V8 collects so thoroughly that compiled code loses the object shapes it was compiled for: each
// pause in the traffic would cost all of it anew. What starting leaves behind is given back in cli/memory instead.
setFlagsFromString('--memory-reducer-gc-count=0');
const { processVariables } = await import('./config/environment.ts');
if (process.argv[2] === 'serve' && cache !== undefined) beginAgain(cache);
const { runCommand } = await import('./cli/run.ts');
const { createLog } = await import('./telemetry/log.ts');

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

process.on('unhandledRejection', fail);
process.on('uncaughtException', fail);

const exitCode = await runCommand(process.argv.slice(2), {
  output: {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
  },
  variables: processVariables(),
  stopped,
  onReload: (listener) => process.on('SIGHUP', listener),
});
process.exit(exitCode);

/**
 * Returns a folder for compiled code that is this user's alone, or undefined. Node runs what it finds there, and by itself
 * it would take one in the temporary folder of all users, whoever has made it.
 */
function cachePlace(): string | undefined {
  // On Windows each user has a temporary folder of their own.
  const user = process.getuid?.();
  const folder = join(tmpdir(), user === undefined ? 'jaaz-gateway-cache' : `jaaz-gateway-cache-${user}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    if (!found.isDirectory()) return undefined;
    return user === undefined || (found.uid === user && (found.mode & 0o022) === 0) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Node strips this file before it can be told of the cache, and what it loads for that holds 12 MB for as long as the process
 * lives. A server therefore begins once more in the same process, with the cache in its environment; where that is not
 * possible, or its parent talks to it over a channel that would be lost, it goes on as it is.
 */
function beginAgain(directory: string): void {
  const variables = processVariables();
  if (variables.NODE_COMPILE_CACHE !== undefined || process.connected) return;
  // An older Node ends where the system forbids it; and where Node was started by the loader of libraries itself, that is
  // what would be begun again, and without Node.
  if (Number.parseInt(process.versions.node, 10) < 26 || !basename(process.execPath).startsWith('node')) return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  try {
    process.execve?.(process.execPath, args, { ...variables, NODE_COMPILE_CACHE: directory });
  } catch {
    // It would only have been smaller.
  }
}

/** Resolves with the first signal; a second one ends the process at once, whatever is still open. */
function stopped(): Promise<string> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (stopping) process.exit(code);
        stopping = true;
        resolve(signal);
      });
    }
  });
}

/** A process in an unknown state must not go on judging requests. */
function fail(error: unknown): void {
  const log = createLog({ level: 'error' });
  log.error({ err: error }, 'a fault of the gateway itself ended it');
  log.flush();
  process.exit(1);
}
