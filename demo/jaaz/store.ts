/** The database as the contract's section 7 gives it: one SQLite file in which nothing has an owner. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { dumpsStored, type Json, type JsonObject, parse } from './python-json.ts';

const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ', 'now')";
const STAMPS = `created_at TEXT DEFAULT (${NOW}), updated_at TEXT DEFAULT (${NOW})`;
const SCHEMA = `
CREATE TABLE IF NOT EXISTS db_version (version INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS canvases (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, data TEXT, description TEXT DEFAULT '', thumbnail TEXT DEFAULT '', ${STAMPS});
CREATE INDEX IF NOT EXISTS idx_canvases_updated_at ON canvases (updated_at DESC, id DESC);
CREATE TABLE IF NOT EXISTS chat_sessions (
  id TEXT PRIMARY KEY, ${STAMPS}, title TEXT, model TEXT, provider TEXT,
  canvas_id TEXT REFERENCES canvases (id));
CREATE INDEX IF NOT EXISTS idx_chat_sessions_updated_at ON chat_sessions (updated_at DESC, id DESC);
CREATE TABLE IF NOT EXISTS chat_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT REFERENCES chat_sessions (id), role TEXT, message TEXT, ${STAMPS});
CREATE INDEX IF NOT EXISTS idx_chat_messages_session_id_id ON chat_messages (session_id, id);
CREATE TABLE IF NOT EXISTS comfy_workflows (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, api_json TEXT, description TEXT DEFAULT '', inputs TEXT,
  outputs TEXT, ${STAMPS});
CREATE INDEX IF NOT EXISTS idx_comfy_workflows_updated_at ON comfy_workflows (updated_at DESC, id DESC);
`;

interface Canvas {
  readonly data: Json;
  readonly name: string;
  readonly sessions: JsonObject[];
}

export type Store = ReturnType<typeof openStore>;

/** Opens or makes the database file and returns its queries; ids are bound as SQLite's TEXT affinity would keep them. */
export function openStore(file: string) {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false, timeout: 5000 });
  // A test double survives no power cut: without the wait for the disk a run takes milliseconds.
  database.exec('PRAGMA synchronous = OFF');
  database.exec(SCHEMA);
  if (database.prepare('SELECT version FROM db_version').get() === undefined) {
    database.exec("INSERT INTO db_version VALUES (3); INSERT INTO canvases (id, name) VALUES ('default', 'Default')");
  }
  return { ...canvasQueries(database), ...chatQueries(database), ...workflowQueries(database) };
}

function canvasQueries(database: DatabaseSync) {
  const list = database.prepare(
    `SELECT id, name, description, thumbnail, created_at, updated_at FROM canvases ORDER BY updated_at DESC, id DESC`,
  );
  const insert = database.prepare('INSERT INTO canvases (id, name) VALUES (?, ?)');
  const read = database.prepare('SELECT data, name FROM canvases WHERE id = ?');
  const sessions = database.prepare(
    `SELECT id, title, model, provider, created_at, updated_at FROM chat_sessions WHERE canvas_id = ?
     ORDER BY updated_at DESC, id DESC`,
  );
  const save = database.prepare(`UPDATE canvases SET data = ?, thumbnail = ?, updated_at = ${NOW} WHERE id = ?`);
  const rename = database.prepare('UPDATE canvases SET name = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM canvases WHERE id = ?');
  return {
    close: () => database.close(),
    listCanvases: () => list.all() as JsonObject[],
    createCanvas: (id: Json, name: Json) => insert.run(asText(id), asText(name)),
    readCanvas(id: Json): Canvas | undefined {
      const row = read.get(asText(id));
      if (row === undefined) return undefined;
      const data = row.data === null ? Object.create(null) : parse(String(row.data));
      return { data, name: String(row.name), sessions: sessions.all(asText(id)) as JsonObject[] };
    },
    saveCanvas(id: Json, data: Json, thumbnail: Json): void {
      save.run(dumpsStored(data), asText(thumbnail), asText(id));
    },
    renameCanvas: (id: Json, name: Json) => rename.run(asText(name), asText(id)),
    /** The row alone goes: sessions, messages and files stay readable (contract section 3). */
    deleteCanvas: (id: Json) => remove.run(asText(id)),
  };
}

interface NewSession {
  readonly id: Json;
  readonly canvasId: Json;
  readonly title: string;
  readonly model: Json;
  readonly provider: Json;
}

function chatQueries(database: DatabaseSync) {
  const insert = database.prepare(
    'INSERT INTO chat_sessions (id, canvas_id, title, model, provider) VALUES (?, ?, ?, ?, ?)',
  );
  const add = database.prepare('INSERT INTO chat_messages (session_id, role, message) VALUES (?, ?, ?)');
  const history = database.prepare('SELECT message FROM chat_messages WHERE session_id = ? ORDER BY id');
  return {
    /** Throws when the id is taken. */
    createSession(session: NewSession): void {
      const { id, canvasId, title, model, provider } = session;
      insert.run(asText(id), asText(canvasId), title, asText(model), asText(provider));
    },
    addMessage: (session: Json, message: JsonObject) =>
      add.run(asText(session), asText(message.role ?? 'user'), dumpsStored(message)),
    history: (session: string): Json[] => history.all(asText(session)).map((row) => parse(String(row.message))),
  };
}

function workflowQueries(database: DatabaseSync) {
  const insert = database.prepare(
    'INSERT INTO comfy_workflows (name, api_json, description, inputs, outputs) VALUES (?, ?, ?, ?, ?)',
  );
  const list = database.prepare(
    'SELECT id, name, description, api_json, inputs, outputs FROM comfy_workflows ORDER BY id DESC',
  );
  const remove = database.prepare('DELETE FROM comfy_workflows WHERE id = ?');
  return {
    createWorkflow(workflow: JsonObject): void {
      const { name = null, api_json = null, description = null, inputs = null, outputs = null } = workflow;
      const texts = [dumpsStored(api_json), asText(description), dumpsStored(inputs), dumpsStored(outputs)];
      insert.run(asText(name), ...texts);
    },
    listWorkflows: () => list.all() as JsonObject[],
    deleteWorkflow: (id: number) => remove.run(id),
  };
}

/** Returns a scalar as a TEXT column keeps it: 77 is '77', true is '1' (contract section 2); throws where binding fails. */
function asText(value: Json): string | null {
  if (value === null || Number.isNaN(value)) return null;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value === Number.POSITIVE_INFINITY) return 'Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return String(value);
  if (typeof value === 'string' && value.isWellFormed()) return value;
  throw new TypeError('the value cannot be bound');
}
