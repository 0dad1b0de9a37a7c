/** The Socket.IO endpoint as it is written: to whom events go, what is kept of them, and what clients may send. */
import { z } from 'zod';
import { duration, fieldByKind, fieldPath, kindName, size } from './schema-values.ts';

const redact = z.array(fieldPath).min(1).optional();

const eventType = z.strictObject({
  learn: z
    .record(kindName, z.array(fieldPath).min(1))
    .optional()
    .describe('Places of ids, or URLs of them, that the server made and that become the owner’s'),
  'ends-run': z.boolean().default(false).describe('true: the event ends the run of its session'),
  pending: fieldPath
    .optional()
    .describe('The place of the id of a call that from now on waits for the owner’s answer; see confirms'),
  settled: fieldPath.optional().describe('The place of the id of a call that waits no longer'),
  opens: fieldByKind
    .optional()
    .describe('The one kind, and the place of the text in which an agent names what of it it is about to open'),
  call: fieldPath
    .optional()
    .describe('Beside opens: the place of the id of the agent’s call. Texts of one call are parts of one whole'),
  redact: redact.describe('Places at which the value is replaced by [redacted]'),
});

const delivery = z.strictObject({
  owner: fieldByKind.describe('The one resource whose owner hears the event'),
  agree: fieldByKind.optional().describe('What, where it is there, must be of the same owner'),
  relative: z.boolean().default(false).describe('Loopback URLs of the upstream become relative'),
  redact: redact.describe('Places at which the value is replaced by [redacted], in events of every type'),
  cancel: z
    .string()
    .max(1_000)
    .optional()
    .describe('POST /path/{kind}: how the gateway ends a run at the server whose agent is about to open another’s'),
  type: fieldPath.describe('The place of the type'),
  types: z.record(z.string().min(1).max(64), eventType).describe('The closed table of types; others are dropped'),
});

const missed = z
  .union([
    z.literal('off').describe('Nothing is kept'),
    z.strictObject({
      age: duration.default('2m').describe('For so long'),
      events: z.int().min(1).max(5_000).default(1_000).describe('So many events of one owner'),
      size: size.default('8MiB').describe('So much of one owner'),
    }),
  ])
  .default({ age: '2m', events: 1_000, size: '8MiB' });

export const socketIo = z.strictObject({
  path: z
    .string()
    .regex(/^\/[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*\/$/, 'a path that begins and ends with /, such as /socket.io/')
    .describe('Where clients connect, and where the server’s own endpoint is'),
  protocol: z.literal('socket.io').describe('The protocol'),
  transports: z
    .array(z.enum(['websocket', 'polling']))
    .min(1)
    .default(['websocket'])
    .describe('How clients may connect: websocket always, and polling where it is listed too'),
  token: z
    .array(z.enum(['auth', 'header', 'query']))
    .min(1)
    .describe('Where a token may stand in the handshake'),
  missed: missed.describe('What is kept of an owner’s events for clients that were away'),
  deliver: z.record(z.string().min(1).max(64), delivery).describe('Event name to rule; events not listed are dropped'),
  accept: z
    .record(z.string().min(1).max(64), z.string().min(1).max(64))
    .default({})
    .describe('What clients may send, and what the gateway answers itself'),
});
