import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ResourceRef } from '../../../src/model/resource.ts';
import { prepareStatements, recordOf, recordsOf, type Statements } from '../../../src/store/sqlite/rows.ts';
import { openDatabase } from '../../../src/store/sqlite/schema.ts';

let database: DatabaseSync;
let statements: Statements;
beforeEach(() => {
  database = openDatabase({ path: ':memory:', busyTimeoutMillis: 0, now: () => 0 });
  statements = prepareStatements(database);
});
afterEach(() => database.close());

const canvas = (id: string): ResourceRef => ({ kind: 'canvas', id });
const session = (id: string): ResourceRef => ({ kind: 'session', id });

interface Given {
  readonly parent?: ResourceRef;
  readonly owner?: string;
  readonly state?: string;
}

function insert({ kind, id }: ResourceRef, { parent, owner = 'main|ann', state = 'owned' }: Given = {}): void {
  statements.insert.run(kind, id, owner, parent?.kind ?? null, parent?.id ?? null, state, 'request', 7);
}

const below = ({ kind, id }: ResourceRef, owner = 'main|ann') =>
  statements.below.all(kind, id, owner).map(({ id: found }) => found);

describe('recordOf', () => {
  test('returns the whole record, with the parent and without one', () => {
    insert(canvas('c'));
    insert(session('s'), { parent: canvas('c'), state: 'pending' });
    const rest = { owner: 'main|ann', origin: 'request', createdAtMillis: 7 };
    expect(recordOf(statements, canvas('c'))).toEqual({ ...canvas('c'), ...rest, parent: undefined, state: 'owned' });
    expect(recordOf(statements, session('s'))).toEqual({
      ...{ ...session('s'), ...rest },
      parent: canvas('c'),
      state: 'pending',
    });
  });

  test('finds nothing under the same id of another kind, or in other letters', () => {
    insert(canvas('c'));
    expect([session('c'), canvas('C'), canvas('c ')].map((ref) => recordOf(statements, ref))).toEqual(
      Array(3).fill(undefined),
    );
  });
});

describe('recordsOf', () => {
  test('keeps the order of what was asked, with kinds mixed, gaps and repeats', () => {
    for (const ref of [canvas('a'), canvas('b'), session('a')]) insert(ref);
    const asked = [session('a'), canvas('none'), canvas('b'), canvas('a'), session('b'), canvas('b')];
    const found = recordsOf(statements, asked).map((record) => record && `${record.kind} ${record.id}`);
    expect(found).toEqual(['session a', undefined, 'canvas b', 'canvas a', undefined, 'canvas b']);
  });

  test.each(['"', '\\', "'); DROP TABLE resources; --", '5', '5.0', 'null', 'é', 'e\u0301', '🙂', ''])(
    'takes the id %j for itself alone',
    (id) => {
      insert(canvas(id));
      const records = recordsOf(statements, [canvas(id), canvas(`${id}0`)]);
      expect(records.map((record) => record?.id)).toEqual([id, undefined]);
    },
  );

  test('returns nothing for nothing', () => {
    expect(recordsOf(statements, [])).toEqual([]);
  });
});

describe('below', () => {
  test('goes down to the last child, and to nobody else’s', () => {
    insert(canvas('c'));
    insert(session('s'), { parent: canvas('c') });
    insert({ kind: 'file', id: 'f' }, { parent: session('s') });
    insert(session('theirs'), { parent: canvas('c'), owner: 'main|bob' });
    insert(canvas('other'));
    expect(below(canvas('c'))).toEqual(['c', 's', 'f']);
    expect(below(canvas('c'), 'main|bob')).toEqual([]);
  });

  test('passes through what is deleted already, without naming it', () => {
    insert(canvas('c'));
    insert(session('s'), { parent: canvas('c'), state: 'deleted' });
    insert({ kind: 'file', id: 'f' }, { parent: session('s') });
    expect(below(canvas('c'))).toEqual(['c', 'f']);
  });

  test('comes to an end where parents go round in a circle', () => {
    insert(canvas('a'), { parent: canvas('b') });
    insert(canvas('b'), { parent: canvas('a') });
    expect(below(canvas('a'))).toEqual(['a', 'b']);
  });
});
