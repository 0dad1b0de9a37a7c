/** The words of `explain` on the command line. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Variables } from '../config/environment.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { ExplainOptions } from './explain.ts';
import type { Output } from './settings.ts';

type Flags = Omit<ExplainOptions, 'file' | 'method' | 'target' | 'variables'> & { readonly config: string };

const NOTE = `
Nothing is sent to the server and nothing is counted. Whose things are is told by --own and --other, or read from the
live ledger with --live; what nobody owns counts as new. Ends with 0 whatever the verdict is, with 1 when the ledger
cannot be read.`;

interface Surroundings {
  readonly output: Output;
  readonly variables: Variables;
}

/** Adds the command to a program. */
export function addExplain(program: Command, { output, variables }: Surroundings, exit: (code: number) => void): void {
  program
    .command('explain')
    .description('Show what the gateway would do with a request, stage by stage, and why.')
    .argument('<method>', 'such as GET')
    .argument('<target>', 'the path, with its query')
    .option('--as <user>', 'the caller: ISSUER|USER, or USER of the only issuer; without it, nobody')
    .option('--role <role>', 'a role of the caller; may be repeated', collect(identity), [])
    .option('--header <name: value>', 'a header of the request; may be repeated', collect(parseHeader), [])
    .option('--body <file>', 'the body of the request, JSON unless a header says otherwise')
    .option('--own <kind:id>', 'what is the caller’s; may be repeated', collect(parseRef), [])
    .option('--other <kind:id>', 'what is another’s; may be repeated', collect(parseRef), [])
    .option('--unowned <kind:id>', 'what the server has, but nobody owns; may be repeated', collect(parseRef), [])
    .option(
      '--pending <kind:id=call>',
      'a call that waits there for its owner; may be repeated',
      collect(parseCall),
      [],
    )
    .option('--catalogue <name=file>', 'the entries of a catalogue, as JSON; may be repeated', collect(parsePair), [])
    .option('--live', 'whose things are is read from the ledger of the configuration', false)
    .option('--config <file>', 'the configuration', 'gateway.yaml')
    .option('--json', 'write one JSON object', false)
    .addHelpText('after', NOTE)
    .action(async (method: string, target: string, { config: file, ...flags }: Flags) => {
      const { explain } = await import('./explain.ts');
      exit(await explain({ ...flags, file, method, target, variables }, output));
    });
}

const collect =
  <T>(parse: (text: string) => T) =>
  (text: string, earlier: readonly T[]): readonly T[] => [...earlier, parse(text)];

const identity = (text: string): string => text;

const split = (text: string, separator: string, expected: string): [string, string] => {
  const at = text.indexOf(separator);
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError(`Expected ${expected}.`);
  return [text.slice(0, at), text.slice(at + 1)];
};

const parseRef = (text: string): ResourceRef => {
  const [kind, id] = split(text, ':', 'KIND:ID');
  return { kind, id };
};

const parseCall = (text: string): [ResourceRef, string] => {
  const [place, call] = split(text, '=', 'KIND:ID=CALL');
  return [parseRef(place), call];
};

const parseHeader = (text: string): [string, string] => {
  const [name, value] = split(text, ':', 'NAME: VALUE');
  return [name, value.trim()];
};

const parsePair = (text: string): [string, string] => split(text, '=', 'NAME=FILE');
