import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkGatewayFile } from '../../src/config/schema.ts';
import { parseDocument, type YamlDocument } from '../../src/policy/document.ts';
import { type Fault, formatFault } from '../../src/policy/fault.ts';
import { loadPolicy, parsePolicy } from '../../src/policy/load.ts';
import { checkTestFile } from '../../src/policy/test-document.ts';

interface Sample {
  /** The page, and the line in which the sample begins. */
  readonly file: string;
  readonly text: string;
}

const pages = [...globSync('docs/*.md'), 'README.md'];

/** Every sample of a page that is said to be YAML. */
const samplesOf = (file: string): Sample[] =>
  [...readFileSync(file, 'utf8').matchAll(/^```ya?ml\b[^\n]*\n([\s\S]*?)^```$/gm)].map((match) => {
    const line = match.input.slice(0, match.index).split('\n').length + 1;
    return { file: `${file}:${line}`, text: match[1] ?? '' };
  });

/** What a sample of routes may refer to. */
const AROUND = `version: 1
name: sample
resources:
  canvas: { id: '[a-z]{1,9}' }
  session: { id: '[a-z]{1,9}', parent: canvas }
  file: { id: '[a-z]{1,9}', url: /api/file/ }
limits: { generate: { points: 1, per: 1s, by: user }, running: { concurrent: 1, by: user, timeout: 1m } }
catalogues: { models: { get: /models, keys: [id], max-age: 1s }, tools: { get: /tools, keys: [id], max-age: 1s } }
routes:
`;

const WIRING = {
  upstream: 'upstream: { url: http://127.0.0.1:1 }',
  policies: 'policies: [p.yaml]',
  issuers: 'issuers: [{ name: a, issuer: a, audience: a, keys: { file: keys.json } }]',
};

const keysOf = (text: string): readonly string[] =>
  [...text.matchAll(/^([a-z][a-z-]*):/gm)].map(([, key]) => key ?? '');

const policyFaults = (text: string, file: string): string[] => {
  const loaded = parsePolicy({ file, text });
  return 'faults' in loaded ? loaded.faults.map(formatFault) : [];
};

/** What a sample is can be seen by how it begins; with what its page leaves out it must load. */
const KINDS: ReadonlyArray<
  readonly [is: (text: string, keys: readonly string[]) => boolean, faults: typeof policyFaults]
> = [
  [(_, keys) => keys.includes('version') && keys.includes('name'), policyFaults],
  [(text) => /^(?:#.*\n)*- /.test(text), (text, file) => policyFaults(`${AROUND}${text.replace(/^/gm, '  ')}`, file)],
  [(_, keys) => keys.includes('routes'), (text, file) => policyFaults(`version: 1\nname: sample\n${text}`, file)],
  [
    (_, keys) => keys.includes('requests') || keys.includes('matrix') || keys.includes('events'),
    (text, file) => told(checkTestFile(documentOf(text, file))),
  ],
  [
    () => true,
    (text, file) => {
      const missing = Object.entries(WIRING).filter(([key]) => !keysOf(text).includes(key));
      return told(checkGatewayFile(documentOf([text, ...missing.map(([, line]) => line)].join('\n'), file)));
    },
  ],
];

const documentOf = (text: string, file: string): YamlDocument => {
  const read = parseDocument({ file, text });
  if ('faults' in read) throw new Error(read.faults.map(formatFault).join('\n'));
  return read.document;
};

const told = (checked: object | { readonly faults: readonly Fault[] }): string[] =>
  'faults' in checked ? checked.faults.map(formatFault) : [];

const shipped = globSync('policies/*.yaml', { exclude: ['policies/*.test.yaml'] });
const samples = pages.flatMap(samplesOf);

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
    const kind = KINDS.find(([is]) => is(sample.text, keysOf(sample.text)));
    expect(kind?.[1](sample.text, sample.file)).toEqual([]);
  });

  test('whatever it is a sample of', () => {
    expect(samples.length).toBeGreaterThan(8);
  });

  test('and the small policy is the one that is shipped', () => {
    const minimal = readFileSync('policies/minimal.yaml', 'utf8').replace(/^#.*\n/gm, '');
    expect(samples.map(({ text }) => text)).toContain(minimal);
  });
});
