/** Conditions as written -> questions about a request. One that the route could never answer is a fault. */
import { type Condition, conditions } from '../model/condition.ts';
import { isManifold } from '../model/field-path.ts';
import { place } from './refer.ts';
import type { WrittenCondition } from './schema-condition.ts';
import { addFault, type FaultWords, type Path, type RouteContext } from './scope.ts';

/** Returns the condition; its faults, if any, are in the scope. `below` is its place in the route. */
export const compileCondition = (context: RouteContext, written: WrittenCondition, below: Path): Condition => {
  const inside = (parts: readonly WrittenCondition[], word: string): Condition[] =>
    parts.map((part, index) => compileCondition(context, part, [...below, word, index]));
  if ('all' in written) return conditions.all(inside(written.all, 'all'));
  if ('any' in written) return conditions.any(inside(written.any, 'any'));
  if ('not' in written) return conditions.not(compileCondition(context, written.not, [...below, 'not']));
  if ('role' in written) {
    if (context.written.access !== 'user') {
      const message = `nobody is known on a ${context.written.access} route, so nobody has a role`;
      addFault(context, { message, found: written.role }, [...below, 'role']);
    }
    return conditions.role(written.role);
  }
  checkOneQuestion(context, written, below);
  if ('header' in written) return conditions.header(written.header, new Set(accepted(written)));
  if ('query' in written) return conditions.query(written.query, new Set(accepted(written)));
  const path = bodyPlace(context, written.body, below);
  if (written.present !== undefined) return conditions.present(path, written.present);
  return conditions.body(path, new Set(accepted(written)));
};

/** Returns whether a condition asks for nothing but roles, of which a caller cannot choose another answer. */
export const asksRolesOnly = (written: WrittenCondition): boolean => {
  if ('all' in written) return written.all.every(asksRolesOnly);
  if ('any' in written) return written.any.every(asksRolesOnly);
  return 'not' in written ? asksRolesOnly(written.not) : 'role' in written;
};

interface Comparison<T> {
  readonly is?: T | undefined;
  readonly 'one-of'?: readonly T[] | undefined;
  readonly present?: boolean | undefined;
}

const accepted = <T>(written: Comparison<T>): readonly T[] =>
  written.is === undefined ? (written['one-of'] ?? []) : [written.is];

const checkOneQuestion = (context: RouteContext, written: Comparison<unknown>, below: Path): void => {
  const asked = [written.is, written['one-of'], written.present].filter((question) => question !== undefined);
  if (asked.length === 1) return;
  const message = 'a condition asks one question';
  const expected = 'body' in written ? 'is, one-of or present' : 'is or one-of';
  const found = asked.length === 0 ? 'none' : `${asked.length} of them`;
  addFault(context, { message, found, expected }, below);
};

const bodyPlace = (context: RouteContext, text: string, below: Path) => {
  const at = [...below, 'body'];
  const fault = (words: FaultWords): void => addFault(context, words, at);
  if (context.written.body?.json === undefined)
    fault({
      message: 'the condition asks for a JSON body, and the route takes none',
      found: text,
      expected: 'json: SIZE',
    });
  const path = place(context, text, at);
  if (isManifold(path)) fault({ message: 'one value is needed here, not several', found: text });
  return path;
};
