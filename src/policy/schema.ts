/** A policy as it is written: the schema of policies/*.yaml. What it means is compiled elsewhere; an unknown key is a fault. */
import { z } from 'zod';
import { route } from './schema-route.ts';
import { socketIo } from './schema-socket.ts';
import { duration, field, json, kindName, mode, name, plainPath, role } from './schema-values.ts';
import { webSocket } from './schema-websocket.ts';

const cohort = z.strictObject({
  mode: mode.describe('The mode for these callers'),
  users: z
    .array(z.string().regex(/^[^|]+[|].+$/, 'ISSUER|USER'))
    .default([])
    .describe('Owners: ISSUER|USER'),
  roles: z.array(role).default([]).describe('Callers who have one of these roles'),
  percent: z.number().min(0).max(100).multipleOf(0.01).default(0).describe('A stable share of all users'),
});

const resource = z.strictObject({
  id: z.string().min(1).max(200).describe('The grammar of ids, a regular expression that must match the whole id'),
  reserved: z.array(z.string().min(1)).default([]).describe('Ids that nobody can own'),
  parent: kindName.optional().describe('Deleting the parent takes this kind along'),
  probe: z
    .strictObject({
      get: z
        .string()
        .regex(/^\//, 'a path that begins with /')
        .describe('Asked before the first claim; {kind} stands for the id'),
      absent: z
        .union([
          z.strictObject({ json: json.describe('The body, of status 200, that means that there is no such id') }),
          z.strictObject({ status: z.int().min(400).max(499).describe('The status that means so') }),
        ])
        .describe('The answer that means that the server has no such id'),
    })
    .optional()
    .describe('How the server is asked whether it has an id that nobody owns'),
  url: z
    .string()
    .regex(/^\/(?:[A-Za-z0-9._~-]+\/)+$/, 'a path that begins and ends with /, such as /api/file/')
    .optional()
    .describe('The path below which it is served'),
});

const rate = z.strictObject({
  points: z.int().min(1).max(1_000_000_000).describe('So many requests'),
  per: duration.describe('in so much time'),
  by: z.enum(['user', 'address']).describe('user: counts where a user is known. address: where none is'),
  counts: z.literal('failed-authentication').optional().describe('Counts only tokens that were refused'),
});
const concurrency = z.strictObject({
  concurrent: z.int().min(1).max(100_000).describe('So many runs at once'),
  by: z.literal('user').describe('Of one user'),
  timeout: duration.describe('After this time a run counts as ended'),
});

const catalogue = z.strictObject({
  get: plainPath.describe('The path of the list'),
  keys: z.array(field).min(1).describe('The fields by which an entry is known'),
  'max-age': duration.describe('For how long the shared copy is kept'),
});

export const policySchema = z.strictObject({
  version: z.literal(1).describe('The version of the policy language'),
  name: name.describe('The name of the policy'),
  include: z
    .array(z.string().min(1).max(1_000))
    .default([])
    .describe('Further files of the policy; paths are relative to this file'),
  mode: mode
    .optional()
    .describe('The mode of this file’s routes; without it that of the file that includes it, or enforce'),
  cohorts: z.record(name, cohort).optional().describe('Callers for whom another mode holds; the first one counts'),
  replaces: z
    .array(z.string().min(1).max(64))
    .default([])
    .describe('Denied routes of other files, instead of which the routes of these ids in this file hold'),
  resources: z.record(kindName, resource).default({}).describe('What can be owned'),
  limits: z
    .record(name, z.union([rate, concurrency]))
    .default({})
    .describe('Rate limits and limits of runs'),
  everywhere: z.array(name).default([]).describe('Limits that hold on every route'),
  catalogues: z.record(name, catalogue).default({}).describe('What the server itself offers'),
  routes: z.array(route).default([]).describe('The closed table of routes'),
  sockets: z
    .array(z.discriminatedUnion('protocol', [socketIo, webSocket]))
    .max(100)
    .default([])
    .describe('The endpoints of live connections'),
});

/** As the file itself says it. */
export type WrittenPolicy = z.infer<typeof policySchema>;

/** A file's policy, with the modes that hold in it. */
export type ParsedPolicy = Omit<WrittenPolicy, 'mode' | 'cohorts'> & {
  mode: z.infer<typeof mode>;
  cohorts: Record<string, z.infer<typeof cohort>>;
};
export type ParsedRoute = WrittenPolicy['routes'][number];
export type ParsedSocket = Extract<WrittenPolicy['sockets'][number], { protocol: 'socket.io' }>;
export type ParsedWebSocket = Extract<WrittenPolicy['sockets'][number], { protocol: 'websocket' }>;
