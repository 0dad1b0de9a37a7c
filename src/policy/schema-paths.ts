/** The paths of a user's own files as a route writes them: which it takes, and which it shows. */
import { z } from 'zod';
import { field } from './schema-values.ts';

const root = z
  .string()
  .max(256)
  .regex(
    /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+(?: [A-Za-z0-9._-]+)*)+$/,
    'an absolute path of plain names, without a / at the end',
  )
  .describe('A folder of the server’s host, as an absolute path; each user has a folder in it');

const as = z
  .enum(['file', 'folder'])
  .default('file')
  .describe('file: a path below the user’s folder. folder: also that folder itself, as the empty path');

/** The step of `rewrite` that confines a path. */
export const scopePath = z
  .union([
    z.strictObject({ field: field.describe('The field of the body that holds the path'), root, as }),
    z.strictObject({ query: field.describe('The query parameter that holds the path'), root, as }),
    z.strictObject({
      field: field.describe('The field of the body that holds the name'),
      as: z.literal('name').describe('One name without a folder, which is forwarded as it is'),
    }),
  ])
  .describe('The path is one in the caller’s own folder, and becomes absolute; others are refused');

/** What `filter` shows of an answer about files. */
export const userPaths = z
  .record(field, z.enum(['path', 'text', 'plain']))
  .describe('The fields of the answer, or of its rows, that are shown. path: becomes relative. text: paths in it do');

export type WrittenScopePath = z.infer<typeof scopePath>;
