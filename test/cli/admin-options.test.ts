import { Command, CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { type AdminFlags, addAdminCommand, adminOptions } from '../../src/cli/admin-options.ts';

const parsed = (words: readonly string[]) => {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  let found: ReturnType<typeof adminOptions> | undefined;
  addAdminCommand(program, 'ask', 'Ask.')
    .exitOverride()
    .action((flags: AdminFlags) => {
      found = adminOptions(flags);
    });
  program.parse(['ask', ...words], { from: 'user' });
  return found;
};

test('without a word the gateway of gateway.yaml is asked', () => {
  expect(parsed([])).toEqual({ file: 'gateway.yaml', json: false, flags: {} });
});

test('another file and another port are asked instead', () => {
  expect(parsed(['--config', 'x.yaml', '--admin-port', '9', '--json'])).toEqual({
    ...{ file: 'x.yaml', json: true },
    flags: { adminPort: 9 },
  });
});

test('what is no port is refused', () => {
  expect(() => parsed(['--admin-port', '70000'])).toThrow(CommanderError);
});
