/** What a route's request carries, as written -> the rule by which it is read, and the form that its JSON must have. */
import type { BodySchema } from '../model/body-schema.ts';
import { isManifold } from '../model/field-path.ts';
import type { BodyRule, ConfirmRule, ResourceUse } from '../model/route.ts';
import { sizeBytes } from './amounts.ts';
import { compileSchema } from './compile-schema.ts';
import { place } from './refer.ts';
import { addFault, type FaultWords, type RouteContext } from './scope.ts';

/** What the route looks for in the body, compiled. */
export interface Sought {
  readonly uses: readonly ResourceUse[];
  readonly confirms: ConfirmRule | undefined;
}

/** Returns the rule; its faults, if any, are in the scope. */
export const compileBody = (context: RouteContext, sought: Sought): BodyRule => {
  const { body } = context.written;
  if (body === undefined) return { kind: 'none' };
  const { json, multipart, file, schema: written } = body;
  const schema = written && compileSchema({ context, written, at: ['body', 'schema'] });
  if (schema !== undefined && json === undefined) {
    addFault(context, { message: 'only JSON has such a form', expected: 'json: SIZE' }, ['body', 'schema']);
  }
  if (schema !== undefined) checkRoot(context, schema, sought);
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
const checkRoot = (context: RouteContext, schema: BodySchema, { uses, confirms }: Sought): void => {
  const at = ['body', 'schema'];
  if (schema.type !== 'object' || schema.nullable) {
    addFault(context, { message: 'a body is an object', found: schema.type, expected: 'type: object' }, at);
    return;
  }
  const paths = uses.map(({ at: where }) => (where.in === 'body' ? where.path : []));
  for (const [root] of [...paths, confirms?.call ?? []]) {
    if (typeof root !== 'string' || schema.additional === 'allow' || schema.properties.has(root)) continue;
    const message = 'the route checks an id for which this form has no place';
    addFault(context, { message, found: root, expected: `properties: { ${root}: { type: string } }` }, at);
  }
};

/**
 * Returns what the request answers; its faults, if any, are in the scope. A call waits in what its event belongs to, and
 * the server looks at the call alone (contract, section 3): so the route owns the one, and does nothing besides.
 */
export const compileConfirms = (context: RouteContext, uses: readonly ResourceUse[]): ConfirmRule | undefined => {
  const { body, answer } = context.written;
  const text = body?.confirms;
  if (text === undefined) return undefined;
  const fault = (message: string, words: Omit<FaultWords, 'message'>): void =>
    addFault(context, { message, ...words }, ['body', 'confirms']);
  const call = place(context, text, ['body', 'confirms']);
  if (isManifold(call)) fault('one call is answered, not several', { found: text });
  if (body?.json === undefined) fault('the call is named in a JSON body', { expected: 'json: SIZE' });
  if (answer !== undefined) fault('where the gateway answers itself, no call is answered', { expected: 'no answer' });
  const other = uses.find(({ verb }) => verb !== 'own');
  if (other !== undefined) {
    fault('who answers a call makes and deletes nothing', { found: `${other.verb} ${other.kind.name}` });
  }
  const { announcing } = context.scope;
  const owned = uses.filter(({ verb, kind }) => verb === 'own' && announcing.has(kind.name));
  const [use] = owned;
  if (use !== undefined && owned.length === 1) return { call, text, of: use.kind.name };
  const [kind = 'KIND'] = announcing;
  const expected = announcing.size === 0 ? 'pending: place, at a type of an event' : `own: { ${kind}: place }, once`;
  fault('the route must own the one thing in which the call waits', { found: `${owned.length}`, expected });
  return undefined;
};
