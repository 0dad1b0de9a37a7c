/** What the words of a route refer to: declared names, and places in JSON values. What leads nowhere is a fault. */
import { parseFieldPath } from '../model/field-path.ts';
import type { FieldPath } from '../model/json.ts';
import { addFault, type Path, referred, type Spot } from './scope.ts';

/** Returns a function that finds what a name refers to among those that are declared. `what` is how faults call it. */
export const named =
  <T>(spot: Spot, declared: ReadonlyMap<string, T>, what = 'this name') =>
  (name: string, below: Path): T | undefined =>
    referred(declared, name, { ...spot, path: [...spot.path, ...below], what });

/** Returns the steps to a place; those of nowhere, and a fault, where the text is none. */
export const place = (spot: Spot, text: string, below: Path): FieldPath => {
  try {
    return parseFieldPath(text);
  } catch {
    addFault(spot, { message: 'not a place in a JSON value', found: text, expected: 'a.b, a[*].b, a.*.b' }, below);
    return [];
  }
};
