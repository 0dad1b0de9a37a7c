import { expect, test } from 'vitest';
import { readSettings, writeFaults } from '../../src/cli/settings.ts';

function lines() {
  const out: string[] = [];
  const err: string[] = [];
  return { out, err, output: { out: (line: string) => out.push(line), err: (line: string) => err.push(line) } };
}

test('the sample gives a config and a policy', () => {
  const settings = readSettings({ file: 'gateway.yaml', variables: {} });
  expect(settings).toMatchObject({ config: { listen: { port: 8080 } }, policy: { name: 'jaaz' } });
});

test('files below here are told as they are seen from here', () => {
  const { err, output } = lines();
  const fault = { file: `${process.cwd()}/policies/x.yaml`, line: 1, column: 2, message: 'wrong' };
  writeFaults([fault, { ...fault, file: '/x.yaml' }, { ...fault, file: 'VARIABLE', line: 0 }], { json: false }, output);
  expect(err).toEqual(['policies/x.yaml:1:2: wrong', '/x.yaml:1:2: wrong', 'VARIABLE: wrong', '3 faults']);
});

test('JSON is one object on the output proper', () => {
  const { out, err, output } = lines();
  const fault = { file: 'x.yaml', line: 1, column: 2, message: 'wrong' };
  writeFaults([fault], { json: true }, output);
  expect({ out, err }).toEqual({ out: [JSON.stringify({ valid: false, faults: [fault] })], err: [] });
});
