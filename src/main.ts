#!/usr/bin/env node
/** The process: arguments, signals, exit codes. */
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

// Before anything of ours is loaded: from the second start on, no source is stripped and compiled again, which halves
// the time until the gateway is ready and spares the memory of the stripper. Where nothing can be kept, nothing is.
enableCompileCache();
// V8 may decide that objects made at some place live long, and make them in the old space at once. With objects of
// requests that is wrong, and expensive: dead there until the next full collection, they keep all alive that they point
// to, so that a seventh of what every request allocates is copied and marked for nothing.
setFlagsFromString('--no-allocation-site-pretenuring');
// After some idle seconds V8 collects so thoroughly that compiled code loses the object shapes it was compiled for: each
// pause in the traffic would cost all of it anew. What starting leaves behind is given back in cli/memory instead.
setFlagsFromString('--memory-reducer-gc-count=0');
const { runCommand } = await import('./cli/run.ts');
const { processVariables } = await import('./config/environment.ts');
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
