/** The laws of the house, word for word, and the way in which a breach of one is told. */
import { expect, test } from 'vitest';
import { type Source, sourceOf } from './tree.ts';

const LAWS = {
  levels: 'Imports go only towards a lower level.',
  1: 'Law 1: A stage never imports a sibling stage. It is tested with model values and ports alone.',
  2: "Law 2: A library stays in its room. No exported type of ours mentions a library's type.",
  3: 'Law 3: A branded value is made in one file only.',
  4: 'Law 4: `process.env` only in config; `process.exit` only in main; `console` nowhere outside cli.',
  5: 'Law 5: An error is rendered only in server/respond; a life is audited only in pipeline/decide.',
  6: 'Law 6: Nothing is parsed, compiled or validated per request that could have been at load.',
  7: 'Law 7: Never yes by default: unmatched route, unlisted event, unknown owner, store down, body unreadable, filter failed: refuse.',
  8: 'Law 8: A path is decoded once. What was matched is what is checked is what is forwarded, rebuilt from the parsed parts.',
  9: 'Law 9: No import cycles, no barrel files, no room or file called utils, helpers, common, shared, misc, globals, lib.',
  10: 'Law 10: No file over 300 lines, no function over 60, no more than 3 positional parameters.',
  11: 'Law 11: No `any`, `enum`, parameter properties, non-null `!`, floating promises.',
  12: 'Law 12: The client is told `reasons[…].message` and a request id, never more; `detail` is for the audit record.',
  todo: 'House style: no TODO without an issue number.',
  evaluator: 'The life of a request (design, section 4): there is no second evaluator.',
  demo: 'The engine is general: src does not import from demo/, bench/ or test/.',
  reasons: 'House style: a reason code that nothing refuses with is retired.',
  mirror: 'House style: test/x/y.test.ts for each src/x/y.ts.',
  map: "The README's map shows the way to files that exist.",
} as const;

export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

export type Rule = (sources: readonly Source[]) => Breach[];

/** Throws when there is a breach: the law first, then one `file:line what` each. */
export const obey = (law: keyof typeof LAWS, breaches: readonly Breach[]): void => {
  if (breaches.length === 0) return;
  const rows = breaches.map(({ path, line, what }) => `  ${path}:${line} ${what}`);
  expect.fail(`${LAWS[law]}\n${rows.join('\n')}`);
};

export interface LawTest {
  readonly law: keyof typeof LAWS;
  readonly fact: string;
  readonly sources: () => readonly Source[];
  readonly rule: Rule;
  /** Sources by path that break the law, each on its own: a rule that cannot see them proves nothing. */
  readonly breaches: ReadonlyArray<Readonly<Record<string, string>>>;
}

/** Registers a law as two tests: that the tree obeys it, and that each sample of a breach would be seen. */
export const testLaw = ({ law, fact, sources, rule, breaches }: LawTest): void => {
  test(fact, () => obey(law, rule(sources())));

  test(`${fact}: a breach is seen`, () => {
    for (const sample of breaches) {
      const files = Object.entries(sample).map(([path, text]) => sourceOf(path, text));
      expect(rule(files), JSON.stringify(sample)).toHaveLength(1);
    }
  });
};
