import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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

test('a policy that keeps more for who returns than may wait for a client is a fault of the two together', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  const write = (waiting: string): string => {
    const file = join(folder, 'gateway.yaml');
    const text = readFileSync('gateway.yaml', 'utf8');
    writeFileSync(
      file,
      `${text.replace('policies/jaaz.yaml', resolve('policies/jaaz.yaml'))}\nsockets: { waiting: ${waiting} }\n`,
    );
    return file;
  };
  expect(readSettings({ file: write('4MiB'), variables: {} })).toMatchObject({
    faults: [{ message: expect.stringContaining('sockets.waiting'), found: '4194304 bytes' }],
  });
  expect(readSettings({ file: write('8MiB'), variables: {} })).toMatchObject({ policy: { name: 'jaaz' } });
  rmSync(folder, { recursive: true });
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
