/** The schema of policies as a JSON Schema (draft 2020-12), by which editors complete and explain what is being written. */
import { z } from 'zod';
import { policySchema } from './schema.ts';

/** Returns the text of policies/policy.schema.json. */
export const policyJsonSchema = (): string => {
  const schema = z.toJSONSchema(policySchema, { target: 'draft-2020-12', io: 'input' });
  return `${JSON.stringify({ ...schema, title: 'A policy of the gateway' }, undefined, 2)}\n`;
};
