/** The form of a JSON value, as written -> what a value is walked along with. */
import type { BodySchema } from '../model/body-schema.ts';
import { anchored, MAX_PATTERN_TEXT, NOTHING, patternFault, WAYS_OF_TEXTS } from './safe-pattern.ts';
import type { WrittenBodySchema } from './schema-body.ts';
import { addFault, type FaultWords, type Path, type Spot } from './scope.ts';

export interface WrittenAt<W> {
  readonly context: Spot;
  readonly written: W;
  /** Below the context's own path. */
  readonly at: Path;
}

type Form<T> = Extract<WrittenBodySchema, { type: T }>;

/** Returns the form; its faults, if any, are in the scope. */
export const compileSchema = (spot: WrittenAt<WrittenBodySchema>): BodySchema => {
  const { written } = spot;
  const nullable = written.nullable === true;
  switch (written.type) {
    case 'object':
      return { ...compileObject({ ...spot, written }), nullable };
    case 'array': {
      const items = written.items && compileSchema({ ...spot, written: written.items, at: [...spot.at, 'items'] });
      return { nullable, type: 'array', items, maxItems: written['max-items'] ?? Number.POSITIVE_INFINITY };
    }
    case 'string':
      return { ...compileString({ ...spot, written }), nullable };
    case 'number':
    case 'integer': {
      const { type, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = written;
      checkOrder(spot, min, max);
      return { nullable, type, min, max, oneOf: written.enum && new Set(written.enum) };
    }
    default:
      return { nullable, type: written.type };
  }
};

const fault = ({ context, at }: WrittenAt<unknown>, words: FaultWords, below: Path): void =>
  addFault(context, words, [...at, ...below]);

const compileObject = (spot: WrittenAt<Form<'object'>>): Omit<Extract<BodySchema, { type: 'object' }>, 'nullable'> => {
  const { properties: listed = {}, required = [], additional = 'refuse' } = spot.written;
  const properties = new Map<string, BodySchema>();
  for (const [name, written] of Object.entries(listed)) {
    properties.set(name, compileSchema({ ...spot, written, at: [...spot.at, 'properties', name] }));
  }
  for (const [index, name] of required.entries()) {
    if (additional === 'allow' || properties.has(name)) continue;
    const message = 'this property is required, but not listed';
    fault(spot, { message, found: name, expected: `properties: { ${name}: … }` }, ['required', index]);
  }
  return { type: 'object', properties, required, additional };
};

const compileString = (spot: WrittenAt<Form<'string'>>): Omit<Extract<BodySchema, { type: 'string' }>, 'nullable'> => {
  const { 'min-length': minLength = 0, 'max-length': maxLength = Number.POSITIVE_INFINITY, pattern } = spot.written;
  checkOrder(spot, minLength, maxLength);
  if (pattern !== undefined && maxLength > MAX_PATTERN_TEXT) {
    const expected = `max-length: ${MAX_PATTERN_TEXT}, or less`;
    fault(spot, { message: 'only a short text is held against a pattern', found: pattern, expected }, ['pattern']);
  }
  const oneOf = spot.written.enum && new Set(spot.written.enum);
  return {
    type: 'string',
    oneOf,
    minLength,
    maxLength,
    pattern: pattern === undefined ? undefined : compilePattern(spot, pattern),
  };
};

const compilePattern = (spot: WrittenAt<unknown>, text: string): RegExp => {
  const message = patternFault({ what: 'this pattern', pattern: text, maxWays: WAYS_OF_TEXTS });
  if (message === undefined) return anchored(text);
  fault(spot, { message, found: text }, ['pattern']);
  return NOTHING;
};

const checkOrder = (spot: WrittenAt<unknown>, least: number, most: number): void => {
  if (least <= most) return;
  fault(spot, { message: 'nothing can be within these bounds', found: `${least} to ${most}` }, []);
};
