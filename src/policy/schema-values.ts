/** The small values that policies are written with: names, places, amounts. Each says what it is, for faults and editors. */
import { z } from 'zod';
import { DURATION, SIZE } from './amounts.ts';

export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, '1 to 32 lower-case letters, digits and -, a letter first')
  .describe('A name: lower-case letters, digits and -');
export const kindName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/, '1 to 32 lower-case letters, digits and _, a letter first')
  .describe('A kind of resource that the policy declares');
export const field = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, '1 to 64 letters, digits, _ and -, no digit first')
  .describe('The name of a field');
export const duration = z
  .string()
  .regex(DURATION, 'a duration: 500ms, 30s, 5m, 1h, 7d')
  .describe('A duration: 500ms, 30s, 5m, 1h, 7d');
export const size = z.string().regex(SIZE, 'a size: 512B, 64KiB, 32MiB, 1GiB').describe('A size: 64KiB, 32MiB');
export const fieldPath = z.string().min(1).max(256).describe('A place in a JSON value: a.b, a[*].b, a.*.b, [*]');
export const role = z.string().min(1).max(64).describe('A role, as the issuer’s tokens name it');
export const headerName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'the name of a header, in lower case: letters, digits and -')
  .describe('The name of a header, in lower case');
export const plainPath = z
  .string()
  .regex(/^\/[A-Za-z0-9._~/-]*$/, 'a path without parameters and without a query, such as /api/list')
  .describe('A path without parameters and without a query');
export const json = z.json().describe('Any JSON value');

/** A kind of resource to the field that holds its id. */
export const fieldByKind = z.record(kindName, fieldPath);

export const mode = z
  .enum(['off', 'shadow', 'enforce'])
  .describe('off: nothing is judged. shadow: judged and recorded, not done. enforce: done');
