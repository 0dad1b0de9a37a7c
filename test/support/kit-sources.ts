/** The client kit as a browser gets it: its files without their types. */
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../client');

/** Returns the JavaScript of each file of the kit, by its name. */
export const kitSources = (): ReadonlyMap<string, string> =>
  new Map(readdirSync(FOLDER).map((name) => [name, stripTypeScriptTypes(readFileSync(join(FOLDER, name), 'utf8'))]));
