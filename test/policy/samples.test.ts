import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { loadPolicy, parsePolicy } from '../../src/policy/load.ts';

/** The samples of a page that are whole policies, with the line in which each begins. */
const samplesOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/^```yaml\n(version:[\s\S]*?)^```$/gm)].map((match) => {
    const line = match.input.slice(0, match.index).split('\n').length + 1;
    return { file: `${file}:${line}`, text: match[1] ?? '' };
  });

const shipped = globSync('policies/*.yaml', { exclude: ['policies/*.test.yaml'] });
const samples = ['docs/policies.md', 'README.md'].flatMap(samplesOf);

describe('a policy that is shipped loads by itself:', () => {
  test.each(shipped)('%s', (file) => {
    const loaded = loadPolicy([file]);
    expect('faults' in loaded ? loaded.faults.map(formatFault) : []).toEqual([]);
  });

  test('the one for Jaaz and the smallest', () => {
    expect(shipped).toEqual(expect.arrayContaining(['policies/jaaz.yaml', 'policies/minimal.yaml']));
  });
});

describe('a sample of the documentation loads:', () => {
  test.each(samples)('$file', (sample) => {
    const loaded = parsePolicy(sample);
    expect('faults' in loaded ? loaded.faults.map(formatFault) : []).toEqual([]);
  });

  test('and the small policy is the one that is shipped', () => {
    const minimal = readFileSync('policies/minimal.yaml', 'utf8').replace(/^#.*\n/gm, '');
    expect(samples.map(({ text }) => text)).toContain(minimal);
  });
});
