/** The line that a decision leaves: its field names are the record's, absent fields are left out, times are rounded. */
import type { AuditRecord } from '../model/audit.ts';
import type { ResourceRef } from '../model/resource.ts';

/** Returns one line of JSON, without its line end. */
export const auditLine = (record: AuditRecord): string => {
  const { stages, millis, resources, claims, ...rest } = record;
  return JSON.stringify({
    ...rest,
    resources: keys(resources),
    claims: keys(claims),
    stages: rounded(stages),
    millis: round(millis),
  });
};

const keys = (refs: readonly ResourceRef[]): string[] | undefined =>
  refs.length === 0 ? undefined : refs.map(({ kind, id }) => `${kind}:${id}`);

const rounded = (stages: Readonly<Record<string, number>>): Record<string, number> => {
  const result: Record<string, number> = {};
  for (const stage in stages) result[stage] = round(stages[stage] ?? 0);
  return result;
};

/** To the microsecond. */
const round = (millis: number): number => Math.round(millis * 1000) / 1000;
