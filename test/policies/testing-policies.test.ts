import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../src/cli/run.ts';
import { test as runTestFiles } from '../../src/cli/test.ts';

const PAGE = 'docs/testing-policies.md';
const page = readFileSync(PAGE, 'utf8');

const folder = mkdtempSync(join(tmpdir(), 'testing-policies-'));
afterAll(() => rmSync(folder, { recursive: true }));

const collecting = () => {
  const lines: string[] = [];
  return { lines, output: { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) } };
};

describe('the tests that are shipped with the policies pass:', () => {
  test.each(globSync('policies/*.test.yaml'))('%s', async (file) => {
    const { lines, output } = collecting();
    const code = await runTestFiles({ paths: [file], update: false, coverage: false }, output);
    expect(code, lines.join('\n')).toBe(0);
  });

  test.each(['policies/jaaz.test.yaml', 'policies/minimal.test.yaml'])(
    'and cover all of the policy: %s',
    async (file) => {
      const { lines, output } = collecting();
      await runTestFiles({ paths: [file], update: false, coverage: true }, output);
      expect(lines.filter((line) => line.includes('not covered'))).toEqual([]);
      expect(readFileSync(file, 'utf8')).toMatch(/^coverage: all$/m);
    },
  );
});

describe('a sample of the page is a test file, and its tests pass:', () => {
  const samples = [...page.matchAll(/^```yaml\n(version:[\s\S]*?)^```$/gm)].map(([, text = '']) => text);

  test.each(samples.map((text, index) => ({ index, text })))('$index', async ({ index, text }) => {
    const file = join(folder, `${index}.test.yaml`);
    writeFileSync(file, text.replace('../policies', `${process.cwd()}/policies`));
    const { lines, output } = collecting();
    expect(await runTestFiles({ paths: [file], update: false, coverage: false }, output), lines.join('\n')).toBe(0);
  });

  test('there are two', () => {
    expect(samples).toHaveLength(2);
  });
});

describe('the page shows what explain says:', () => {
  const shown = [...page.matchAll(/^```console\n\$ node src\/main\.ts (.*)\n([\s\S]*?)^```$/gm)];
  const chat = {
    canvas_id: 'mine',
    session_id: 'chat',
    messages: [{ role: 'user', content: 'describe im_AbCd1234.png' }],
  };
  const body = join(folder, 'chat.json');
  writeFileSync(body, JSON.stringify(chat));
  /** The policy may grow: on which line a route stands is no matter. */
  const withoutLines = (text: string): string => text.replace(/(\.yaml:)\d+/g, '$1N').trimEnd();

  test.each(shown.map(([, words = '', text = '']) => ({ words, text })))('$words', async ({ words, text }) => {
    const { lines, output } = collecting();
    const surroundings = { output, variables: {}, stopped: () => Promise.resolve('test') };
    expect(await runCommand(words.replace('chat.json', body).split(' '), surroundings)).toBe(0);
    expect(withoutLines(lines.join('\n'))).toBe(withoutLines(text));
  });

  test('three refusals', () => {
    expect(shown).toHaveLength(3);
  });
});
