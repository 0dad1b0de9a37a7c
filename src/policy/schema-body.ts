/** What a request carries, as it is written: its type and size, the ids in it, and the form of its JSON. */
import { z } from 'zod';
import { field, fieldByKind, fieldPath, kindName, size } from './schema-values.ts';

interface Nullable {
  nullable?: boolean | undefined;
}

export type WrittenBodySchema = Nullable &
  (
    | {
        type: 'object';
        properties?: Record<string, WrittenBodySchema> | undefined;
        required?: string[] | undefined;
        additional?: 'allow' | 'drop' | 'refuse' | undefined;
      }
    | { type: 'array'; items?: WrittenBodySchema | undefined; 'max-items'?: number | undefined }
    | {
        type: 'string';
        enum?: string[] | undefined;
        'min-length'?: number | undefined;
        'max-length'?: number | undefined;
        pattern?: string | undefined;
      }
    | {
        type: 'number' | 'integer';
        enum?: number[] | undefined;
        min?: number | undefined;
        max?: number | undefined;
      }
    | { type: 'boolean' }
    | { type: 'any' }
  );

const count = z.int().min(0).max(1_000_000_000);
const key = z.string().min(1).max(256);
const nullable = { nullable: z.boolean().optional().describe('true: null is accepted as well') };

const bodySchema: z.ZodType<WrittenBodySchema> = z
  .union([
    z.strictObject({
      type: z.literal('object').describe('A JSON object'),
      properties: z
        .record(
          key,
          z.lazy(() => bodySchema),
        )
        .optional()
        .describe('The form of each property'),
      required: z.array(key).optional().describe('Properties that must be there'),
      additional: z
        .enum(['allow', 'drop', 'refuse'])
        .optional()
        .describe('What becomes of properties that are not listed; without it they are refused'),
      ...nullable,
    }),
    z.strictObject({
      type: z.literal('array').describe('A JSON list'),
      items: z
        .lazy(() => bodySchema)
        .optional()
        .describe('The form of each element'),
      'max-items': count.optional().describe('The largest number of elements'),
      ...nullable,
    }),
    z.strictObject({
      type: z.literal('string').describe('A text'),
      enum: z.array(z.string()).min(1).optional().describe('The texts that are accepted'),
      'min-length': count.optional().describe('The smallest number of UTF-16 units'),
      'max-length': count.optional().describe('The largest number of UTF-16 units'),
      pattern: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('A regular expression for the whole text; needs a max-length of 256 at most'),
      ...nullable,
    }),
    z.strictObject({
      type: z.enum(['number', 'integer']).describe('A number, or a whole number'),
      enum: z.array(z.number()).min(1).optional().describe('The numbers that are accepted'),
      min: z.number().optional().describe('The smallest number'),
      max: z.number().optional().describe('The largest number'),
      ...nullable,
    }),
    z.strictObject({ type: z.literal('boolean').describe('true or false'), ...nullable }),
    z.strictObject({ type: z.literal('any').describe('Any JSON value'), ...nullable }),
  ])
  .meta({ id: 'body-schema', description: 'The form of a JSON value' });

export const body = z.strictObject({
  json: size.optional().describe('Takes a JSON object of at most this size'),
  schema: bodySchema.optional().describe('The form of the JSON object; what does not conform is refused'),
  multipart: size.optional().describe('Takes a form of at most this size'),
  file: field.optional().describe('The part of the form that holds the file'),
  own: fieldByKind.optional().describe('Ids that must be the caller’s'),
  create: fieldByKind.optional().describe('Ids that must be nobody’s and become the caller’s'),
  claim: fieldByKind.optional().describe('Ids that must be nobody’s or the caller’s, and become the caller’s'),
  confirms: fieldPath
    .optional()
    .describe(
      'The place of the id of a call that waits, in what the route owns, for this answer of its owner; see pending',
    ),
  references: kindName.optional().describe('Texts may cite resources of this kind only where they are the caller’s'),
});
