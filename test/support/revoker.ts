/** A process of its own that keeps a revocation in a SQLite ledger, says so, and ends. */
import { sqliteChanges } from '../../src/store/sqlite/changes.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { sqliteRevocations } from '../../src/store/sqlite/revocations.ts';

const [path = '', json = ''] = process.argv.slice(2);
const file = openSqliteFile({ path, busyTimeoutMillis: 10_000 });
const store = sqliteRevocations(file, sqliteChanges(file));
await store.add(JSON.parse(json));
process.stdout.write('kept\n');
file.close();
