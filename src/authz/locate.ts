/** Finds the ids that a request names, and holds each against the grammar of its kind. */
import { fieldPathText, valuesAt } from '../model/field-path.ts';
import type { JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadRequest } from '../model/request.ts';
import type { ResourceKind, ResourceRef } from '../model/resource.ts';
import type { Location, ResourceUse, RouteMatch } from '../model/route.ts';

/** A grammar may set no bound of its own, and ids become keys in the ledger and in caches. */
export const MAX_ID_LENGTH = 256;

/** True for a string that can be the id of an owned resource of this kind: of 256 characters at most, in its grammar. */
export const isId = (kind: ResourceKind, value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_ID_LENGTH && kind.pattern.test(value) && !kind.reserved.has(value);

/**
 * Returns the resource that a use names; undefined where an optional field is missing or null. Throws `id-invalid` for
 * what is in a body or query, and `resource-hidden` for a path: there, impossible and foreign look the same.
 */
export const locate = (use: ResourceUse, request: ReadRequest, match: RouteMatch): ResourceRef | undefined => {
  const value = namedIn(use.at, request, match);
  if (isId(use.kind, value)) return { kind: use.kind.name, id: value };
  if (use.at.in === 'path') throw new Rejection('resource-hidden', `no ${use.kind.name} can have this id`);
  if (use.at.in === 'body' && use.at.optional && (value === undefined || value === null)) return undefined;
  throw new Rejection('id-invalid', `${describe(use.at)}: expected a ${use.kind.name} id, found ${typeName(value)}`);
};

const namedIn = (at: Location, request: ReadRequest, match: RouteMatch): JsonValue | undefined => {
  if (at.in === 'path') return match.parameters[at.name];
  if (at.in === 'query') return request.canonical.query.get(at.name);
  if (request.body.kind !== 'json') return undefined;
  const values = valuesAt(request.body.value, at.path);
  return values.length > 1 ? null : values[0];
};

const describe = (at: Location): string =>
  at.in === 'body' ? `body ${fieldPathText(at.path)}` : `${at.in} parameter ${at.name}`;

const typeName = (value: JsonValue | undefined): string => {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string of another form';
  return value === null ? 'null' : typeof value;
};
