/** One type of message as written -> what it may name, whose it is, and what of it is shown. */
import { isId } from '../authz/locate.ts';
import { operations } from '../filter/operations.ts';
import type { BodySchema } from '../model/body-schema.ts';
import type { EventReference, EventRule } from '../model/event.ts';
import { isManifold } from '../model/field-path.ts';
import type { FieldPath } from '../model/json.ts';
import type { AnswerOperation } from '../model/route.ts';
import type { DeliverRule, MessageUse, SendRule } from '../model/websocket.ts';
import { sizeBytes } from './amounts.ts';
import { compileSchema } from './compile-schema.ts';
import { named, place } from './refer.ts';
import type { ParsedWebSocket } from './schema.ts';
import { addFault, type Path, type Scope, type Spot } from './scope.ts';

type WrittenSent = NonNullable<ParsedWebSocket['send']>[string];
type WrittenDelivered = NonNullable<ParsedWebSocket['deliver']>[string];

/** Returns the rule of what clients send; `maxBytes` is the endpoint's. */
export const compileSent = (
  written: WrittenSent,
  spot: Spot,
  { typePath, maxBytes }: { readonly typePath: FieldPath; readonly maxBytes: number },
): SendRule => {
  const uses = (['own', 'create', 'claim'] as const).flatMap((verb) => usesOf(written, spot, verb));
  const schema = written.schema && compileSchema({ context: spot, written: written.schema, at: ['schema'] });
  if (schema !== undefined) checkRoot(spot, schema, [typePath, ...uses.map(({ path }) => path)]);
  const own = written.max === undefined ? maxBytes : sizeBytes(written.max);
  if (own > maxBytes) {
    const words = { message: 'no message of the endpoint is so large', found: written.max ?? '', expected: 'less' };
    addFault(spot, words, ['max']);
  }
  return { uses, schema, maxBytes: own };
};

const usesOf = (written: WrittenSent, spot: Spot, verb: MessageUse['verb']): MessageUse[] =>
  Object.entries(written[verb] ?? {}).flatMap(([name, text]) => {
    const at = [verb, name];
    const kind = named(spot, spot.scope.kinds, 'this resource')(name, at);
    const path = place(spot, text, at);
    if (isManifold(path)) addFault(spot, { message: 'one id is needed here, not a list', found: text }, at);
    return kind === undefined ? [] : [{ verb, kind, path, isId: (value): value is string => isId(kind, value) }];
  });

/** A form that has no place for the type, or for an id, would refuse every message. */
const checkRoot = (spot: Spot, schema: BodySchema, places: readonly FieldPath[]): void => {
  if (schema.type !== 'object' || schema.nullable) {
    addFault(spot, { message: 'a message is an object', found: schema.type, expected: 'type: object' }, ['schema']);
    return;
  }
  for (const [root] of places) {
    if (typeof root !== 'string' || schema.additional === 'allow' || schema.properties.has(root)) continue;
    const message = 'the message is judged by a field for which this form has no place';
    addFault(spot, { message, found: root, expected: `properties: { ${root}: { type: string } }` }, ['schema']);
  }
};

/** The type of the gateway's own messages. */
const RESERVED = 'gateway';

/** Returns the rule of what clients may see; `name` is its type. */
export const compileDelivered = (
  written: WrittenDelivered,
  spot: Spot,
  { name, typePath }: { readonly name: string; readonly typePath: FieldPath },
): DeliverRule => {
  if (name === RESERVED) addFault(spot, { message: 'this type is the gateway’s own', found: name, at: 'key' });
  const redacted = (written.redact ?? []).map((text, index) => operations.redact(place(spot, text, ['redact', index])));
  const relative = written.relative ? [operations.relative(urlsOf(spot.scope))] : [];
  const shown: readonly AnswerOperation[] = [...redacted, ...relative];
  if (written.for === undefined) return { owned: ownedRule(written, spot, { name, typePath }), operations: shown };
  for (const word of ['owner', 'agree', 'learn'] as const) {
    if (written[word] === undefined) continue;
    addFault(spot, { message: 'what is for everyone is nobody’s', found: word, expected: 'owner, or for' }, [word]);
  }
  return { owned: undefined, operations: shown };
};

const ownedRule = (
  written: WrittenDelivered,
  spot: Spot,
  { name, typePath }: { readonly name: string; readonly typePath: FieldPath },
): EventRule => {
  const owners = references(written.owner, spot, ['owner']);
  const [owner] = owners;
  if (Object.keys(written.owner ?? {}).length !== 1) {
    const found = `${Object.keys(written.owner ?? {}).length}`;
    const expected = 'owner: { kind: field }, or for: everyone';
    addFault(
      spot,
      { message: 'a message has one owner', found, expected },
      written.owner === undefined ? [] : ['owner'],
    );
  }
  const learn = Object.entries(written.learn ?? {}).flatMap(([kind, texts]) =>
    texts.flatMap((text, index) => reference(spot, { kind, text }, ['learn', kind, index])),
  );
  return {
    name,
    // A policy with faults is never run; without any there is an owner.
    owner: owner ?? { kind: NOTHING, path: [] },
    agree: references(written.agree, spot, ['agree']),
    typePath,
    types: new Map([[name, { learn, endsRun: false }]]),
    relativeUrls: false,
  };
};

const NOTHING = {
  name: '',
  pattern: /^\b\B$/,
  reserved: new Set<string>(),
  parent: undefined,
  probe: undefined,
  url: undefined,
};

const references = (
  written: Readonly<Record<string, string>> | undefined,
  spot: Spot,
  at: Path,
): readonly EventReference[] =>
  Object.entries(written ?? {}).flatMap(([kind, text]) => reference(spot, { kind, text }, [...at, kind]));

const reference = (
  spot: Spot,
  { kind: name, text }: { readonly kind: string; readonly text: string },
  at: Path,
): EventReference[] => {
  const kind = named(spot, spot.scope.kinds, 'this resource')(name, at);
  const path = place(spot, text, at);
  return kind === undefined ? [] : [{ kind, path }];
};

/** The paths below which kinds are served. */
const urlsOf = ({ kinds }: Scope): string[] =>
  [...kinds.values()].flatMap(({ url }) => (url === undefined ? [] : [url]));
