/** A process of its own that keeps one API key, says so, and waits to be killed. */
import type { KeptApiKey } from '../../src/authn/api-keys.ts';
import { sqliteApiKeys } from '../../src/store/sqlite/api-keys.ts';
import { sqliteChanges } from '../../src/store/sqlite/changes.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';

const [path = '', key = ''] = process.argv.slice(2);
const file = openSqliteFile({ path });
const store = sqliteApiKeys(file, sqliteChanges(file));
await store.add(JSON.parse(key) as KeptApiKey, 10);
process.stdout.write('kept\n');
setTimeout(() => undefined, 30_000);
