/** A file of settings as it stands, whatever is wrong with it: for faults that are to be told together with those of its form. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkDocument, faultAt, type Schema, type YamlDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import { readVariable, type Variables } from './environment.ts';

/** In the place of a secret: it is in the environment. */
export const FROM_ENVIRONMENT = 'env';

export type Path = readonly (string | number)[];

const asItIs: Schema<unknown> = { safeParse: (data) => ({ success: true, data }) };

/** Returns what a document holds. */
export function content(document: YamlDocument): unknown {
  const result = checkDocument(document, asItIs);
  return 'value' in result ? result.value : undefined;
}

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export type Mapping = Readonly<Record<string, unknown>>;

export const mapping = (value: unknown): Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** Returns a secret: the environment's before the file's. Undefined when neither has one. */
export function secretOf(variables: Variables, variable: string, written: string): string | undefined {
  const given = readVariable(variables, variable);
  return given ?? (written === FROM_ENVIRONMENT ? undefined : written);
}

/** Returns the fault of a file that is named and not there. */
export function missingFile(document: YamlDocument, written: unknown, path: Path): Fault[] {
  if (typeof written !== 'string' || written === '') return [];
  const file = resolve(dirname(document.file), written);
  if (isFile(file)) return [];
  return [
    faultAt(document, path, { message: 'there is no such file', found: JSON.stringify(written), expected: file }),
  ];
}

/** The name may also be too long, or go through something that is no folder. */
export function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}
