/** A policy as it is written: the schema of policies/*.yaml. What it means is compiled elsewhere; an unknown key is a fault. */
import { z } from 'zod';
import { DURATION, SIZE } from './amounts.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const kindName = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/);
const routeId = z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/);
const field = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/);
const duration = z.string().regex(DURATION).describe('A duration: 500ms, 30s, 5m, 1h, 7d');
const size = z.string().regex(SIZE).describe('A size: 64KiB, 32MiB');
const fieldPath = z.string().min(1).max(256).describe('A place in a JSON value: a.b, a[*].b, [*]');
const json = z.json();

/** A kind of resource to the field that holds its id. */
const fieldByKind = z.record(kindName, fieldPath);

const resource = z.strictObject({
  id: z.string().min(1).max(200).describe('The grammar of ids, a regular expression that must match the whole id'),
  reserved: z.array(z.string().min(1)).default([]).describe('Ids that nobody can own'),
  parent: kindName.optional().describe('Deleting the parent takes this kind along'),
  probe: z
    .strictObject({
      get: z.string().regex(/^\//).describe('Asked before the first claim; {kind} stands for the id'),
      absent: z.union([z.strictObject({ json }), z.strictObject({ status: z.int().min(400).max(499) })]),
    })
    .optional(),
  url: z
    .string()
    .regex(/^\/(?:[A-Za-z0-9._~-]+\/)+$/)
    .optional()
    .describe('The path below which it is served'),
});

const rate = z.strictObject({
  points: z.int().min(1).max(1_000_000_000),
  per: duration,
  by: z.enum(['user', 'address']),
  counts: z.literal('failed-authentication').optional(),
});
const concurrency = z.strictObject({
  concurrent: z.int().min(1).max(100_000),
  by: z.literal('user'),
  timeout: duration,
});

const catalogue = z.strictObject({
  get: z.string().regex(/^\/[A-Za-z0-9._~/-]*$/),
  keys: z.array(field).min(1),
  'max-age': duration,
});

const rewriteStep = z.union([
  z.strictObject({ set: z.record(field, z.enum(['user.id', 'user.name'])) }),
  z.strictObject({ drop: z.array(field).min(1) }),
  z.strictObject({ catalogue: z.strictObject({ field, from: name, each: z.boolean().default(false) }) }),
  z.strictObject({ inline: field }),
]);

const body = z.strictObject({
  json: size.optional().describe('Takes a JSON object of at most this size'),
  multipart: size.optional().describe('Takes a form of at most this size'),
  file: field.optional().describe('The part of the form that holds the file'),
  own: fieldByKind.optional(),
  create: fieldByKind.optional(),
  claim: fieldByKind.optional(),
  references: kindName.optional().describe('Texts may cite resources of this kind only where they are the caller’s'),
});

const filter = z.strictObject({
  keep: z.array(z.strictObject({ resource: kindName, each: fieldPath, id: fieldPath })).optional(),
  learn: fieldByKind.optional().describe('Ids that the server made and that become the caller’s'),
  drop: z.array(fieldPath).optional(),
  relative: z.boolean().optional().describe('Loopback URLs of the upstream become relative'),
  max: size.optional().describe('An answer that is read is refused above this size, because it could not be judged'),
});

const route = z.strictObject({
  id: routeId,
  match: z.string().describe('METHOD /path/{parameter}; a last segment * matches the rest'),
  access: z.enum(['public', 'user', 'denied']).default('user'),
  roles: z.array(z.string().min(1).max(64)).min(1).optional().describe('The caller needs one of them'),
  limits: z.array(name).default([]),
  run: z
    .strictObject({ limit: name, session: field, ends: z.enum(['answer', 'event']) })
    .optional()
    .describe('The request starts work that goes on after it'),
  query: z.array(field).default([]).describe('Parameters that are forwarded; all others are dropped'),
  body: body.optional(),
  release: kindName.optional().describe('The path parameter whose resource a success deletes'),
  rewrite: z.array(rewriteStep).default([]),
  filter: filter.optional(),
  hidden: z
    .strictObject({ status: z.int().min(200).max(599), json })
    .optional()
    .describe('The answer for what is foreign or missing'),
  headers: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,63}$/), z.string().regex(/^[ -~]{1,1000}$/)).optional(),
  timeout: duration.optional(),
});

const eventType = z.strictObject({
  learn: z.record(kindName, z.array(fieldPath).min(1)).optional(),
  'ends-run': z.boolean().default(false),
});

const socket = z.strictObject({
  path: z.string().regex(/^\/[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*\/$/),
  protocol: z.literal('socket.io'),
  token: z.array(z.enum(['auth', 'header', 'query'])).min(1),
  deliver: z.record(
    z.string().min(1).max(64),
    z.strictObject({
      owner: fieldByKind,
      agree: fieldByKind.optional(),
      relative: z.boolean().default(false),
      type: fieldPath,
      types: z.record(z.string().min(1).max(64), eventType),
    }),
  ),
  accept: z.record(z.string().min(1).max(64), z.string().min(1).max(64)).default({}),
});

export const policySchema = z.strictObject({
  version: z.literal(1),
  name,
  mode: z.literal('enforce').default('enforce'),
  resources: z.record(kindName, resource).default({}),
  limits: z.record(name, z.union([rate, concurrency])).default({}),
  everywhere: z.array(name).default([]).describe('Limits that hold on every route'),
  catalogues: z.record(name, catalogue).default({}),
  routes: z.array(route).min(1),
  sockets: z.array(socket).default([]),
});

export type ParsedPolicy = z.infer<typeof policySchema>;
export type ParsedRoute = ParsedPolicy['routes'][number];
export type ParsedSocket = ParsedPolicy['sockets'][number];
