/** The rule of one event of the upstream as written -> whose it is, and what each of its types says. */
import type { EventReference, EventRule, EventTypeRule, OpensRule } from '../model/event.ts';
import { isManifold } from '../model/field-path.ts';
import type { FieldPath } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';
import { place } from './refer.ts';
import { grammarOf, NOTHING, patternFault, WAYS_OF_CITED } from './safe-pattern.ts';
import type { ParsedSocket } from './schema.ts';
import { addFault, type Path, referred, type Spot } from './scope.ts';
import { parseTemplate } from './template.ts';

type WrittenRule = ParsedSocket['deliver'][string];
type WrittenType = WrittenRule['types'][string];

/** Returns the compiled rule; its faults, if any, are in the scope. */
export const compileEvent = (name: string, written: WrittenRule, spot: Spot): EventRule => {
  const owners = references(written.owner, spot, ['owner']);
  const [owner = NOBODY] = owners;
  if (owners.length !== 1) {
    addFault(spot, { message: 'an event has one owner', found: `${owners.length}`, expected: '{ kind: field }' }, [
      'owner',
    ]);
  }
  const hidden = places(written.redact, spot, ['redact']);
  const types = Object.entries(written.types).map(([type, one]): [string, EventTypeRule] => [
    type,
    compileType(one, { ...spot, path: [...spot.path, 'types', type] }, hidden),
  ]);
  checkSettled(written, spot);
  return {
    name,
    owner,
    agree: references(written.agree ?? {}, spot, ['agree']),
    typePath: place(spot, written.type, ['type']),
    types: new Map(types),
    relativeUrls: written.relative,
    cancel: compileCancel(written, owner.kind, spot),
  };
};

/** Stands in while the faults are collected; a policy with faults is never run. */
const NOBODY: EventReference = {
  kind: { name: '', pattern: NOTHING, reserved: new Set(), parent: undefined, probe: undefined, url: undefined },
  path: [],
};

const compileType = (written: WrittenType, spot: Spot, hidden: readonly FieldPath[]): EventTypeRule => {
  const learn = Object.entries(written.learn ?? {}).flatMap(([kind, fields]) =>
    fields.flatMap((field, index) => reference({ kind, field, at: ['learn', kind, index] }, spot)),
  );
  if (written.pending !== undefined && written.settled !== undefined) {
    const message = 'a call begins to wait or ceases to, not both at once';
    addFault(spot, { message, found: 'pending and settled', expected: 'one of them' }, ['settled']);
  }
  return {
    learn,
    endsRun: written['ends-run'],
    pending: onePlace(written.pending, spot, ['pending']),
    settled: onePlace(written.settled, spot, ['settled']),
    opens: compileOpens(written, spot),
    redact: [...hidden, ...places(written.redact, spot, ['redact'])],
  };
};

const compileOpens = ({ opens, call }: WrittenType, spot: Spot): OpensRule | undefined => {
  const id = onePlace(call, spot, ['call']);
  if (opens === undefined) {
    if (call === undefined) return undefined;
    const message = 'the call is that of what an agent opens';
    addFault(spot, { message, found: call, expected: 'opens: { KIND: place } beside it' }, ['call']);
    return undefined;
  }
  const named = references(opens, spot, ['opens']);
  const [first] = named;
  if (Object.keys(opens).length !== 1) {
    const found = String(Object.keys(opens).length);
    addFault(spot, { message: 'one kind is looked for in one text', found, expected: '{ kind: field }' }, ['opens']);
  }
  if (first === undefined) return undefined;
  const at = ['opens', first.kind.name];
  checkOne(first.path, opens[first.kind.name] ?? '', { spot, at });
  checkGrammar(first.kind, spot, at);
  return { kind: first.kind, text: first.path, call: id };
};

/** As for the texts of a body: what is looked for anywhere in a long text must be quickly found not to be there. */
const checkGrammar = ({ name, pattern }: ResourceKind, spot: Spot, at: Path): void => {
  if (pattern === NOTHING) return;
  const grammar = grammarOf(pattern);
  const what = `to be looked for in texts, the grammar of ${name}`;
  const message = patternFault({ what, pattern: grammar, maxWays: WAYS_OF_CITED });
  if (message !== undefined) addFault(spot, { message, found: grammar }, at);
};

const checkSettled = ({ types }: WrittenRule, spot: Spot): void => {
  if (Object.values(types).some(({ pending }) => pending !== undefined)) return;
  for (const [type, { settled }] of Object.entries(types)) {
    if (settled === undefined) continue;
    const message = 'no type of this event says that a call waits';
    addFault(spot, { message, found: settled, expected: 'pending: place, at another type' }, [
      'types',
      type,
      'settled',
    ]);
  }
};

/** Returns the path with its one parameter: a run is ended by the id of what its events belong to, and by nothing else. */
const compileCancel = ({ cancel }: WrittenRule, { name }: ResourceKind, spot: Spot): string | undefined => {
  if (cancel === undefined) return undefined;
  const template = parseTemplate(cancel);
  const [method, path] = cancel.split(' ');
  const parameters = 'expected' in template ? [] : template.segments.filter(({ kind }) => kind !== 'literal');
  const [only] = parameters;
  const named = parameters.length === 1 && only?.kind === 'parameter' && only.name === name;
  if (method === 'POST' && named) return path;
  // Of an owner that is no kind that is told already, and a better form cannot be.
  const expected = `POST /path/{${name === '' ? 'KIND' : name}}`;
  addFault(spot, { message: 'a run is ended by a POST that names it once', found: cancel, expected }, ['cancel']);
  return undefined;
};

const references = (fields: Readonly<Record<string, string>>, spot: Spot, at: Path): EventReference[] =>
  Object.entries(fields).flatMap(([kind, field]) => reference({ kind, field, at: [...at, kind] }, spot));

interface Written {
  readonly kind: string;
  readonly field: string;
  readonly at: Path;
}

const reference = ({ kind: name, field, at }: Written, spot: Spot): EventReference[] => {
  const kind = referred(spot.scope.kinds, name, { ...spot, path: [...spot.path, ...at], what: 'this resource' });
  return kind === undefined ? [] : [{ kind, path: place(spot, field, at) }];
};

const places = (texts: readonly string[] | undefined, spot: Spot, at: Path): FieldPath[] =>
  (texts ?? []).map((text, index) => place(spot, text, [...at, index]));

const onePlace = (text: string | undefined, spot: Spot, at: Path): FieldPath | undefined => {
  if (text === undefined) return undefined;
  const path = place(spot, text, at);
  checkOne(path, text, { spot, at });
  return path;
};

const checkOne = (path: FieldPath, found: string, { spot, at }: { readonly spot: Spot; readonly at: Path }): void => {
  if (isManifold(path)) addFault(spot, { message: 'one place is needed here, not several', found }, at);
};
