/** `check`: says whether a gateway could run with these files. Validates everything, starts nothing. */
import type { Variables } from '../config/environment.ts';
import { type Output, readSettings, type Settings, writeFaults } from './settings.ts';

export interface CheckOptions {
  readonly file: string;
  readonly json: boolean;
  readonly variables: Variables;
}

/** Returns the exit code: 0 when all is well, 3 when something is not. */
export function check(options: CheckOptions, output: Output): number {
  const settings = readSettings(options);
  if ('faults' in settings) {
    writeFaults(settings.faults, options, output);
    return 3;
  }
  const found = counts(settings);
  if (options.json) {
    output.out(JSON.stringify({ valid: true, file: settings.config.file, ...found }));
    return 0;
  }
  const words = Object.entries(found).map(([noun, count]) => `${count} ${count === 1 ? noun.slice(0, -1) : noun}`);
  output.out(`${options.file}: fine (${words.join(', ')})`);
  return 0;
}

const counts = ({ config, policy }: Settings): Readonly<Record<string, number>> => ({
  issuers: config.issuers.length,
  routes: policy.routes.length,
  resources: policy.resources.size,
  sockets: policy.sockets.length,
});
