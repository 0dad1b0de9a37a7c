/** A socket's section as written -> the rules by which events are delivered and accepted. */

import type { EventReference, EventRule, EventTypeRule, SocketRule } from '../model/event.ts';
import { parseFieldPath } from '../model/field-path.ts';
import type { FieldPath } from '../model/json.ts';
import type { ParsedSocket } from './schema.ts';
import { addFault, type Path, referred, type Spot } from './scope.ts';

type WrittenRule = ParsedSocket['deliver'][string];

export const compileSocket = (written: ParsedSocket, context: Spot): SocketRule => ({
  path: written.path,
  credentials: new Set(written.token),
  deliver: new Map(
    Object.entries(written.deliver).map(([name, rule]) => [
      name,
      compileRule(name, rule, { ...context, path: [...context.path, 'deliver', name] }),
    ]),
  ),
  accept: new Map(Object.entries(written.accept)),
});

const compileRule = (name: string, written: WrittenRule, context: Spot): EventRule => {
  const owners = references(written.owner, context, 'owner');
  const [owner] = owners;
  if (owners.length !== 1) {
    const words = { message: 'an event has one owner', found: `${owners.length}`, expected: '{ kind: field }' };
    addFault(context, words, ['owner']);
  }
  const types = new Map<string, EventTypeRule>();
  for (const [type, { learn, 'ends-run': endsRun }] of Object.entries(written.types)) {
    const path = ['types', type, 'learn'];
    const learned = Object.entries(learn ?? {}).flatMap(([kind, fields]) =>
      fields.flatMap((field, index) => reference({ kind, field, context, at: [...path, kind, index] })),
    );
    types.set(type, { learn: learned, endsRun });
  }
  return {
    name,
    owner: owner ?? { kind: NOTHING, path: [] },
    agree: references(written.agree ?? {}, context, 'agree'),
    typePath: fieldPath(written.type, context, ['type']),
    types,
    relativeUrls: written.relative,
  };
};

/** Stands in while the faults are collected; a policy with faults is never run. */
const NOTHING = {
  name: '',
  pattern: /^\b\B$/,
  reserved: new Set<string>(),
  parent: undefined,
  probe: undefined,
  url: undefined,
};

const references = (fields: Readonly<Record<string, string>>, context: Spot, key: string): EventReference[] =>
  Object.entries(fields).flatMap(([kind, field]) => reference({ kind, field, context, at: [key, kind] }));

interface Written {
  readonly kind: string;
  readonly field: string;
  readonly context: Spot;
  readonly at: Path;
}

const reference = ({ kind: name, field, context, at }: Written): EventReference[] => {
  const path = [...context.path, ...at];
  const kind = referred(context.scope.kinds, name, { ...context, path, what: 'this resource' });
  return kind === undefined ? [] : [{ kind, path: fieldPath(field, context, at) }];
};

const fieldPath = (text: string, spot: Spot, at: Path): FieldPath => {
  try {
    return parseFieldPath(text);
  } catch {
    addFault(spot, { message: 'not a place in a JSON value', found: text, expected: 'a.b, a[*].b' }, at);
    return [];
  }
};
