/** `serve`: runs the gateway until it is told to stop. */
import type { Overrides, Variables } from '../config/environment.ts';
import { startGateway } from '../gateway.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { giveBackStartUpMemory } from './memory.ts';
import { type Output, readSettings, type Settings, writeFaults } from './settings.ts';

export interface ServeOptions {
  readonly file: string;
  readonly flags: Overrides;
  readonly json: boolean;
  readonly variables: Variables;
  /** Called once, before anything is started; resolves with the reason to stop. */
  readonly stopped: () => Promise<string>;
  /** Called once, before anything is started; the listener is told each time that the policy should be loaded anew. */
  readonly onReload?: ((listener: () => void) => void) | undefined;
}

/**
 * Resolves with the exit code when all is closed: 0 after a stop, 1 when it could not start or close, 3 when the files
 * are not valid. The log goes to standard output; words for people are left out with `json`.
 */
export async function serve(options: ServeOptions, output: Output): Promise<number> {
  const settings = readSettings(options);
  if ('faults' in settings) {
    writeFaults(settings.faults, options, output);
    return 3;
  }
  const log = createLog({ level: settings.config.log.level });
  const say = (line: string): void => (options.json ? undefined : output.err(line));
  try {
    return await run(settings, { log, say, stopped: options.stopped(), onReload: options.onReload });
  } catch (error) {
    log.error({ err: error }, 'the gateway could not start');
    say(startFailure(error));
    return 1;
  } finally {
    log.flush();
  }
}

interface Surroundings {
  readonly log: Log;
  readonly say: (line: string) => void;
  readonly stopped: Promise<string>;
  readonly onReload: ServeOptions['onReload'];
}

async function run(settings: Settings, { log, say, stopped, onReload }: Surroundings): Promise<number> {
  // Until the gateway runs, its files have only just been read.
  let reload = (): void => undefined;
  onReload?.(() => reload());
  const gateway = await startGateway({ ...settings, log });
  reload = gateway.reloadPolicy;
  log.info({ url: gateway.url, adminUrl: gateway.adminUrl }, 'listening');
  say(`The gateway listens on ${gateway.url}, its admin side on ${gateway.adminUrl}.`);
  giveBackStartUpMemory();
  const reason = await stopped;
  log.info({ reason }, 'stopping');
  try {
    await gateway.close();
  } catch (error) {
    log.error({ err: error }, 'the gateway did not close cleanly');
    return 1;
  }
  log.info({}, 'stopped');
  return 0;
}

/** Returns in one sentence why a listener or a store could not be opened. */
export function startFailure(error: unknown): string {
  const { code, address, port, message } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const place = port === undefined ? 'The address' : `Port ${port} of ${address ?? 'this machine'}`;
  if (code === 'EADDRINUSE') return `${place} is taken: another process listens there. Choose another port.`;
  if (code === 'EADDRNOTAVAIL') return `${address ?? place} is not an address of this machine.`;
  if (code === 'EACCES' && port !== undefined) return `${place} may not be used by this user. Choose one above 1023.`;
  return `The gateway could not start: ${message ?? String(error)}`;
}
