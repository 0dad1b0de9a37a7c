/** One route as it is written: what it matches, who may use it, and what becomes of the request and of its answer. */
import { z } from 'zod';
import { body } from './schema-body.ts';
import { condition } from './schema-condition.ts';
import { scopePath, userPaths } from './schema-paths.ts';
import {
  duration,
  field,
  fieldByKind,
  fieldPath,
  headerName,
  json,
  kindName,
  mode,
  name,
  plainPath,
  role,
  size,
} from './schema-values.ts';

const when = condition.optional();
const source = z.union([
  z.enum(['user.id', 'user.name', 'user.roles']).describe('Who is calling: owner, name, or list of roles'),
  z.strictObject({ value: json.describe('A constant') }),
]);

/** One form for each row of the tables in rewrite/operations. What protects the upstream or others takes no `when`. */
const rewriteStep = z.union([
  z.strictObject({
    set: z.record(field, source).describe('Sets fields at the top of the body, whatever the client put there'),
    when: when.describe('The fields are set only where this holds; only with constants'),
  }),
  z.strictObject({
    drop: z.array(field).min(1).describe('Removes fields at the top of the body'),
    when: when.describe('They are removed only where this holds; it may ask for roles alone'),
  }),
  z.strictObject({
    rename: z
      .strictObject({ from: field.describe('The field as the client names it'), to: field.describe('Its new name') })
      .describe('Renames a field at the top of the body; a body that has both names is refused'),
    when: when.describe('It is renamed only where this holds'),
  }),
  z.strictObject({
    catalogue: z
      .strictObject({
        field: field.describe('The field that holds the caller’s choice'),
        from: name.describe('The catalogue'),
        each: z.boolean().default(false).describe('true: the field is a list of choices'),
      })
      .describe('Replaces a choice by the server’s own entry'),
  }),
  z.strictObject({ inline: field.describe('Properties of this name must be data URLs of images') }),
  z.strictObject({ 'scope-path': scopePath }),
]);

/** A place, or a place with a condition. */
const places = z.array(
  z.union([
    fieldPath,
    z.strictObject({
      at: fieldPath.describe('The place'),
      when: condition.describe('Only where this holds; it may ask for roles alone'),
    }),
  ]),
);

const filter = z.strictObject({
  keep: z
    .array(
      z.strictObject({
        resource: kindName.describe('The kind of which the entries must be the caller’s'),
        each: fieldPath.describe('The entries: a place that ends in [*] for a list, in .* for a mapping'),
        id: fieldPath.describe('The place of the id in an entry; in a mapping, key is the entry’s own key'),
      }),
    )
    .optional()
    .describe('Of lists and mappings only the caller’s own entries are shown'),
  learn: fieldByKind.optional().describe('Ids that the server made and that become the caller’s'),
  drop: places.optional().describe('Places that are removed'),
  redact: places.optional().describe('Places at which the value is replaced by [redacted]'),
  relative: z.boolean().optional().describe('Loopback URLs of the upstream become relative'),
  'user-paths': userPaths.optional(),
  max: size.optional().describe('An answer that is read is refused above this size, because it could not be judged'),
});

const answerStatus = z.int().min(200).max(599).describe('The status');

const answer = z.union([
  z.strictObject({ status: answerStatus, json: json.describe('The body') }),
  z.strictObject({
    status: answerStatus,
    text: z.string().max(65_536).describe('The body'),
    type: z
      .string()
      .regex(/^[a-z]+\/[a-z0-9.+-]+$/, 'a media type, such as text/html')
      .optional()
      .describe('Its media type; without it text/plain. The charset is always UTF-8'),
  }),
]);

export const route = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9.-]{0,63}$/, '1 to 64 lower-case letters, digits, . and -, a letter first')
    .describe('The name of the route in metrics and audit records'),
  mode: mode.optional().describe('Instead of the mode of the file and of its cohorts'),
  match: z.string().max(1_000).describe('METHOD /path/{parameter}; a last segment * matches the rest'),
  access: z
    .enum(['public', 'page', 'user', 'denied'])
    .default('user')
    .describe(
      'public: no token is needed. page: a page, public unless people can log in; then it asks for a session. user: a valid token is needed. denied: listed in order to be refused',
    ),
  token: z
    .array(z.enum(['header', 'query']))
    .min(1)
    .default(['header'])
    .describe('Where a token may stand; with query also in the address, as ?token=, and it is never forwarded'),
  roles: z.array(role).min(1).optional().describe('The caller needs one of them'),
  shared: z.boolean().default(false).describe('true: it is the same for all users, and meant to be; check is told so'),
  when: when.describe('A request for which this does not hold is refused'),
  limits: z.array(name).default([]).describe('Rate limits besides those of everywhere'),
  run: z
    .strictObject({
      limit: name.describe('The limit of runs'),
      session: field.describe('The field of the body that names the run'),
      ends: z
        .enum(['answer', 'event'])
        .describe('answer: the answer’s end is the run’s, too. event: only an event’s is'),
    })
    .optional()
    .describe('The request starts work that goes on after it'),
  query: z.array(field).default([]).describe('Parameters that are forwarded; all others are dropped'),
  body: body.optional().describe('What the request carries; without it, nothing'),
  release: kindName.optional().describe('The path parameter whose resource a success deletes'),
  rewrite: z.array(rewriteStep).default([]).describe('Operations on the JSON body, in order'),
  'forward-to': plainPath.optional().describe('The path that the server is asked for instead of the request’s'),
  cache: z
    .strictObject({
      'max-age': duration.describe('For how long the copy is fresh'),
      stale: duration.optional().describe('For how long after that it stands in for a server that fails'),
    })
    .optional()
    .describe('One copy of the answer is shared by all callers'),
  answer: answer.optional().describe('The gateway’s own answer; nothing is forwarded'),
  filter: filter.optional().describe('What the caller may see of the answer'),
  hidden: z
    .strictObject({
      status: z.int().min(200).max(599).describe('The status'),
      json: json.describe('The body'),
    })
    .optional()
    .describe('The answer for what is foreign or missing'),
  headers: z
    .record(headerName, z.string().regex(/^[ -~]{1,1000}$/, '1 to 1000 visible ASCII characters'))
    .optional()
    .describe('Set on the answer, in place of the server’s of that name'),
  timeout: duration.optional().describe('For the head of the server’s answer, and between two pieces of its body'),
});

export type WrittenStep = z.infer<typeof rewriteStep>;
export type WrittenPlace = z.infer<typeof places>[number];
