/** Conditions as they are written after `when`: a closed set of typed questions, and ways to join them. No programming. */
import { z } from 'zod';
import { fieldPath, headerName, role } from './schema-values.ts';

type Scalar = string | number | boolean | null;

interface Comparison<T> {
  is?: T | undefined;
  'one-of'?: T[] | undefined;
}

export type WrittenCondition =
  | { role: string }
  | ({ header: string } & Comparison<string>)
  | ({ query: string } & Comparison<string>)
  | ({ body: string; present?: boolean | undefined } & Comparison<Scalar>)
  | { all: WrittenCondition[] }
  | { any: WrittenCondition[] }
  | { not: WrittenCondition };

const text = z.string().max(1_000);
const scalar = z.union([text, z.number(), z.boolean(), z.null()]);
const texts = {
  is: text.optional().describe('Is exactly this text'),
  'one-of': z.array(text).min(1).optional().describe('Is one of these texts'),
};
const several = z.array(z.lazy(() => condition)).min(1);

/** A condition; of `is`, `one-of` and `present` it has exactly one, which is checked where conditions are compiled. */
export const condition: z.ZodType<WrittenCondition> = z
  .union([
    z.strictObject({ role: role.describe('The caller has this role') }),
    z.strictObject({ header: headerName.describe('The request’s header of this name'), ...texts }),
    z.strictObject({
      query: z.string().min(1).max(64).describe('The parameter of this name in the request’s query'),
      ...texts,
    }),
    z.strictObject({
      body: fieldPath.describe('The value at this place of the JSON body'),
      is: scalar.optional().describe('Is exactly this text, number, true, false or null'),
      'one-of': z.array(scalar).min(1).optional().describe('Is one of these values'),
      present: z.boolean().optional().describe('true: there is such a value, null included. false: there is none'),
    }),
    z.strictObject({ all: several.describe('Each of these conditions holds') }),
    z.strictObject({ any: several.describe('At least one of these conditions holds') }),
    z.strictObject({ not: z.lazy(() => condition).describe('This condition does not hold') }),
  ])
  .meta({ id: 'condition', description: 'A condition' });
