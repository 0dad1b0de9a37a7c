/** What a route's request carries, as written -> the rule by which it is read, and the form that its JSON must have. */
import type { BodySchema } from '../model/body-schema.ts';
import type { BodyRule, ResourceUse } from '../model/route.ts';
import { sizeBytes } from './amounts.ts';
import { anchored, MAX_PATTERN_TEXT, NOTHING, patternFault, WAYS_OF_TEXTS } from './safe-pattern.ts';
import type { WrittenBodySchema } from './schema-body.ts';
import { addFault, type FaultWords, type Path, type RouteContext } from './scope.ts';

/** Returns the rule; its faults, if any, are in the scope. `uses` are the route's, compiled. */
export const compileBody = (context: RouteContext, uses: readonly ResourceUse[]): BodyRule => {
  const { body } = context.written;
  if (body === undefined) return { kind: 'none' };
  const { json, multipart, file, schema: written } = body;
  const schema = written && compileSchema({ context, written, at: ['body', 'schema'] });
  if (schema !== undefined && json === undefined) {
    addFault(context, { message: 'only JSON has such a form', expected: 'json: SIZE' }, ['body', 'schema']);
  }
  if (schema !== undefined) checkRoot(context, schema, uses);
  if (json !== undefined && multipart === undefined && file === undefined)
    return { kind: 'json', maxBytes: sizeBytes(json), schema };
  if (multipart !== undefined && json === undefined && file !== undefined) {
    return { kind: 'multipart', maxBytes: sizeBytes(multipart), file };
  }
  addFault(context, { message: 'a body is of one type', expected: 'json: SIZE, or multipart: SIZE with file: NAME' }, [
    'body',
  ]);
  return { kind: 'none' };
};

/** The reader takes objects only, and an id that the form has no place for could never be there. */
const checkRoot = (context: RouteContext, schema: BodySchema, uses: readonly ResourceUse[]): void => {
  const at = ['body', 'schema'];
  if (schema.type !== 'object' || schema.nullable) {
    addFault(context, { message: 'a body is an object', found: schema.type, expected: 'type: object' }, at);
    return;
  }
  for (const { at: place } of uses) {
    const [root] = place.in === 'body' ? place.path : [];
    if (typeof root !== 'string' || schema.additional === 'allow' || schema.properties.has(root)) continue;
    const message = 'the route checks an id for which this form has no place';
    addFault(context, { message, found: root, expected: `properties: { ${root}: { type: string } }` }, at);
  }
};

interface Spot<W> {
  readonly context: RouteContext;
  readonly written: W;
  readonly at: Path;
}

type Form<T> = Extract<WrittenBodySchema, { type: T }>;

const compileSchema = (spot: Spot<WrittenBodySchema>): BodySchema => {
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

const fault = ({ context, at }: Spot<unknown>, words: FaultWords, below: Path): void =>
  addFault(context, words, [...at, ...below]);

const compileObject = (spot: Spot<Form<'object'>>): Omit<Extract<BodySchema, { type: 'object' }>, 'nullable'> => {
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

const compileString = (spot: Spot<Form<'string'>>): Omit<Extract<BodySchema, { type: 'string' }>, 'nullable'> => {
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

const compilePattern = (spot: Spot<unknown>, text: string): RegExp => {
  const message = patternFault({ what: 'this pattern', pattern: text, maxWays: WAYS_OF_TEXTS });
  if (message === undefined) return anchored(text);
  fault(spot, { message, found: text }, ['pattern']);
  return NOTHING;
};

const checkOrder = (spot: Spot<unknown>, least: number, most: number): void => {
  if (least <= most) return;
  fault(spot, { message: 'nothing can be within these bounds', found: `${least} to ${most}` }, []);
};
