/** The command line: which command, with which options. One file a command does the work. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import { PORT_FORM, parsePort, parseUpstream, UPSTREAM_FORM } from '../config/values.ts';
import { addExplain } from './explain-command.ts';
import { addKey } from './key-command.ts';
import { addOwners } from './owners-command.ts';
import { addPolicy } from './policy-command.ts';
import { addReport } from './report-command.ts';
import { addRevoke } from './revoke-command.ts';
import { addSchema } from './schema.ts';
import { serve } from './serve.ts';
import type { Output } from './settings.ts';
import { addTest } from './test-command.ts';

export interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
  /** Called by a command that runs until it is told to stop. */
  readonly stopped: () => Promise<string>;
  /** Takes the listener of a command that can load its policy anew. */
  readonly onReload?: (listener: () => void) => void;
}

const EXIT_CODES = `
Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 invalid configuration.`;

/** Runs a command and resolves with its exit code. `words` come after the name of the program. */
export async function runCommand(words: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode = 0;
  const program = createProgram(surroundings, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

function createProgram(surroundings: Surroundings, exit: (code: number) => void): Command {
  const { output, variables } = surroundings;
  const program = new Command('jaaz-gateway')
    .description('Makes an unmodified single-user Jaaz server safely multi-user.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.err(text.trimEnd()),
    })
    .showHelpAfterError('Run it with --help for its options.')
    .addHelpText('after', EXIT_CODES);

  program
    .command('serve')
    .description('Run the gateway. Ctrl-C or SIGTERM ends it; a second one ends it at once.')
    .option('--config <file>', 'the configuration', 'gateway.yaml')
    .option('--port <port>', 'instead of listen.port', form(PORT_FORM, parsePort))
    .option('--admin-port <port>', 'instead of admin.port', form(PORT_FORM, parsePort))
    .option('--upstream <url>', 'instead of upstream.url', form(UPSTREAM_FORM, parseUpstream))
    .option('--json', 'write nothing but JSON lines', false)
    .action(async (options: ServeFlags) => {
      const flags = {
        ...(options.port !== undefined && { port: options.port }),
        ...(options.adminPort !== undefined && { adminPort: options.adminPort }),
        ...(options.upstream !== undefined && { upstreamUrl: options.upstream }),
      };
      exit(await serve({ file: options.config, flags, json: options.json, ...surroundings }, output));
    });

  program
    .command('check')
    .description('Validate the configuration and its policies, and tell what is likely a mistake; start nothing.')
    .option('--config <file>', 'the configuration', 'gateway.yaml')
    .option('--strict', 'end with 3 when there is a warning or a difference', false)
    .option('--openapi <url-or-file>', 'compare with the upstream’s own route list, such as http://HOST/openapi.json')
    .option('--json', 'write one JSON object', false)
    .action(async ({ config: file, ...flags }: CheckFlags) => {
      // What only one command needs is not in the memory of a gateway that serves.
      const { check } = await import('./check.ts');
      exit(await check({ file, ...flags, variables }, output));
    });

  addExplain(program, surroundings, exit);
  addTest(program, output, exit);
  addPolicy(program, surroundings, exit);
  addReport(program, surroundings, exit);
  addRevoke(program, surroundings, exit);
  addKey(program, surroundings, exit);
  addOwners(program, surroundings, exit);
  addSchema(program, output);
  return program;
}

interface CheckFlags {
  readonly config: string;
  readonly json: boolean;
  readonly strict: boolean;
  readonly openapi?: string;
}

interface ServeFlags {
  readonly config: string;
  readonly json: boolean;
  readonly port?: number;
  readonly adminPort?: number;
  readonly upstream?: string;
}

const form =
  <T>(expected: string, parse: (text: string) => T | undefined) =>
  (text: string): T => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
