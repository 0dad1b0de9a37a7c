import { expect, test } from 'vitest';
import { runCommand } from '../../src/cli/run.ts';

test('schema prints the JSON Schema of policies', async () => {
  const out: string[] = [];
  const output = { out: (line: string) => out.push(line), err: () => undefined };
  const code = await runCommand(['schema'], { output, variables: {}, stopped: () => Promise.resolve('') });
  expect(code).toBe(0);
  expect(JSON.parse(out.join('\n'))).toMatchObject({ title: 'A policy of the gateway', type: 'object' });
});
