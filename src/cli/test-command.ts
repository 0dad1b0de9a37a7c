/** The words of `test` on the command line. */
import type { Command } from 'commander';
import type { Output } from './settings.ts';
import type { TestOptions } from './test.ts';

const NOTE = `
Ends with 0 when all tests pass, with 1 when one fails or something is not covered that must be, with 3 when a file is
wrong.`;

/** Adds the command to a program. */
export function addTest(program: Command, output: Output, exit: (code: number) => void): void {
  program
    .command('test')
    .description('Run the tests of policies; start nothing, send nothing.')
    .argument('<path...>', 'test files, or folders with *.test.yaml')
    .option('--update', 'write the golden files anew', false)
    .option('--coverage', 'tell what of the policy no test has seen at work', false)
    .addHelpText('after', NOTE)
    .action(async (paths: string[], flags: Omit<TestOptions, 'paths'>) => {
      const { test } = await import('./test.ts');
      exit(await test({ paths, ...flags }, output));
    });
}
