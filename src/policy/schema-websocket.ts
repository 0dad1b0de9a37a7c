/** A WebSocket endpoint without Socket.IO as it is written: JSON messages by closed tables, or bytes that nobody judges. */
import { z } from 'zod';
import { body } from './schema-body.ts';
import { duration, fieldByKind, fieldPath, kindName, plainPath, role, size } from './schema-values.ts';

const type = z.string().min(1).max(64);

const sent = z.strictObject({
  own: fieldByKind.optional().describe('Ids that must be the caller’s'),
  create: fieldByKind.optional().describe('Ids that must be nobody’s and become the caller’s'),
  claim: fieldByKind.optional().describe('Ids that must be nobody’s or the caller’s, and become the caller’s'),
  schema: body.shape.schema.describe('The form of the message; what does not conform is refused'),
  max: size.optional().describe('The largest message of this type, where it is less than that of the endpoint'),
  shared: z.boolean().default(false).describe('true: it changes nothing that is anybody’s; check is told so'),
});

const delivered = z.strictObject({
  owner: fieldByKind.optional().describe('The one resource whose owner may see the message'),
  for: z.literal('everyone').optional().describe('everyone: it belongs to nobody, and is the same for all users'),
  agree: fieldByKind.optional().describe('What, where it is there, must be of the same owner'),
  learn: z
    .record(kindName, z.array(fieldPath).min(1))
    .optional()
    .describe('Places of ids, or URLs of them, that the server made and that become the owner’s'),
  redact: z.array(fieldPath).min(1).optional().describe('Places at which the value is replaced by [redacted]'),
  relative: z.boolean().default(false).describe('Loopback URLs of the upstream become relative'),
});

export const webSocket = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9.-]{0,63}$/, '1 to 64 lower-case letters, digits, . and -, a letter first')
    .describe('The name of the endpoint in metrics and audit records'),
  path: z.string().max(1_000).describe('/path/{kind}: where clients connect; an id in it must be the caller’s'),
  protocol: z.literal('websocket').describe('The protocol'),
  token: z
    .array(z.enum(['header', 'query']))
    .min(1)
    .describe('Where a token may stand in the handshake'),
  roles: z.array(role).min(1).optional().describe('The caller needs one of them'),
  shared: z.boolean().default(false).describe('true: what passes is meant for all users; check is told so'),
  subprotocols: z
    .array(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, 'the name of a sub-protocol, such as chat.v1'))
    .default([])
    .describe('Sub-protocols that may be agreed upon; the server chooses'),
  'forward-to': plainPath.optional().describe('The path that the server is asked for instead of the endpoint’s'),
  opaque: z.boolean().default(false).describe('true: bytes pass unjudged, once the handshake is'),
  idle: duration
    .optional()
    .describe('Of an opaque endpoint: a connection on which nothing passes for so long is ended'),
  type: fieldPath.optional().describe('The place of a message’s type'),
  max: size.optional().describe('The largest message, in both directions'),
  send: z.record(type, sent).optional().describe('What clients may send, by type; everything else is refused'),
  deliver: z.record(type, delivered).optional().describe('What clients may see, by type; everything else is dropped'),
});
