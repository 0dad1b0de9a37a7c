/** The command line: which command, with which options. One file a command does the work. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import { PORT_FORM, parsePort, parseUpstream, UPSTREAM_FORM } from '../config/values.ts';
import { check } from './check.ts';
import { serve } from './serve.ts';
import type { Output } from './settings.ts';

export interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
  /** Called by a command that runs until it is told to stop. */
  readonly stopped: () => Promise<string>;
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

function createProgram({ output, variables, stopped }: Surroundings, exit: (code: number) => void): Command {
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
      exit(await serve({ file: options.config, flags, json: options.json, variables, stopped }, output));
    });

  program
    .command('check')
    .description('Validate the configuration and its policies; start nothing.')
    .option('--config <file>', 'the configuration', 'gateway.yaml')
    .option('--json', 'write one JSON object', false)
    .action((options: CheckFlags) => exit(check({ file: options.config, json: options.json, variables }, output)));

  return program;
}

interface CheckFlags {
  readonly config: string;
  readonly json: boolean;
}

interface ServeFlags extends CheckFlags {
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
