/** The twelve routes into the host's file system (contract section 3): honest ones, nothing is confined. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { sendFile } from '../file-answer.ts';
import { type Answer, type Call, type Handler, json, Problem, queryOf, type Route, rawJson } from '../http.ts';
import type { Json, JsonObject } from '../python-json.ts';
import type { World } from '../world.ts';

const MEDIA = new Set(['.png', '.jpg', '.jpeg', '.gif', '.webp', '.bmp', '.svg', '.mp4', '.webm', '.mov', '.avi']);

/** Returns the routes of the workspace. */
export function workspaceRoutes({ dataDir }: World): Route[] {
  return [
    ...editingRoutes(join(dataDir, 'workspace')),
    // The one that does less than it says: nobody wants a window to open from a test.
    { method: 'POST', path: '/api/open_folder_in_explorer', handle: async (call) => openFolder(await rawJson(call)) },
    { method: 'GET', path: '/api/browse_filesystem', handle: errorsAs500(browse) },
    { method: 'GET', path: '/api/get_media_files', handle: errorsAs500(mediaFiles) },
    { method: 'GET', path: '/api/get_file_thumbnail', handle: errorsAs500(thumbnail) },
    { method: 'GET', path: '/api/serve_file', handle: errorsAs500(serveFile) },
    { method: 'GET', path: '/api/get_file_info', handle: errorsAs500(fileInfo) },
  ];
}

/** An absolute path replaces the root, and `..` leaves it. */
function editingRoutes(root: string): Route[] {
  const inRoot = (path: string) => (isAbsolute(path) ? path : join(root, path));

  // It makes no folder: only create_file does.
  async function updateFile(call: Call) {
    const { path, content } = await strings(call, 'path', 'content');
    return await orError(path, async () => {
      await writeFile(inRoot(path), content);
      return { success: true };
    });
  }

  async function createFile(call: Call) {
    const { rel_dir: dir } = await strings(call, 'rel_dir');
    const folder = inRoot(dir);
    await mkdir(folder, { recursive: true });
    const path = unusedName(folder);
    await writeFile(path, '');
    return json({ path: relative(root, path) });
  }

  async function renameFile(call: Call) {
    const { old_path: from, new_title: title } = await strings(call, 'old_path', 'new_title');
    const old = inRoot(from);
    if (!existsSync(old)) return json({ error: `File ${old} does not exist`, path: old });
    return await orError(undefined, async () => {
      const to = isAbsolute(title) ? title : join(dirname(old), title);
      await rename(old, to);
      return { success: true, path: to };
    });
  }

  async function readText(call: Call) {
    const { path } = await strings(call, 'path');
    if (!existsSync(inRoot(path))) return json({ error: `File ${path} does not exist`, path });
    return await orError(path, async () => ({ content: await readFile(inRoot(path), 'utf8') }));
  }

  async function listDir(call: Call) {
    const given = queryOf(call, 'rel_path');
    const found = await entries(inRoot(given)).catch(() => []);
    const newestFirst = found.sort((a, b) => Number(b.mtime) - Number(a.mtime));
    return json(
      newestFirst.map(({ name, is_dir }) => ({ name, is_dir, rel_path: join(given, String(name)) }) as JsonObject),
    );
  }

  return [
    { method: 'POST', path: '/api/update_file', handle: updateFile },
    { method: 'POST', path: '/api/create_file', handle: createFile },
    { method: 'POST', path: '/api/delete_file', handle: deleteFile },
    { method: 'POST', path: '/api/rename_file', handle: renameFile },
    { method: 'POST', path: '/api/read_file', handle: readText },
    { method: 'GET', path: '/api/list_files_in_dir', handle: listDir },
  ];
}

function unusedName(folder: string): string {
  for (let count = 0; ; count += 1) {
    const path = join(folder, count === 0 ? 'Untitled.md' : `Untitled ${count}.md`);
    if (!existsSync(path)) return path;
  }
}

/** Not even joined with the root; and what fails here is a 500. */
async function deleteFile(call: Call): Promise<Answer> {
  const { path } = await strings(call, 'path');
  await unlink(path);
  return json({ success: true });
}

function openFolder(body: JsonObject): Answer {
  return typeof body.path === 'string' ? json({ success: true }) : json({ error: 'no path' });
}

async function browse(call: Call): Promise<Answer> {
  const path = resolve(call.query.get('path') || homedir());
  const items = await entries(path);
  return json({ current_path: path, parent_path: dirname(path), items });
}

async function mediaFiles(call: Call): Promise<Answer> {
  const items = await entries(queryOf(call, 'path'));
  return json(items.filter((item) => MEDIA.has(extname(String(item.name)).toLowerCase())));
}

async function thumbnail(call: Call): Promise<Answer> {
  return await sendMedia(queryOf(call, 'file_path'), call);
}

async function serveFile(call: Call): Promise<Answer> {
  const path = queryOf(call, 'file_path');
  const answer = await sendMedia(path, call);
  const disposition = `attachment; filename*=utf-8''${encodeURIComponent(basename(path))}`;
  return { ...answer, headers: { ...answer.headers, 'content-disposition': disposition } };
}

/** The name decides, not what it leads to: a symlink named .png serves any file. */
async function sendMedia(path: string, call: Call): Promise<Answer> {
  if (!MEDIA.has(extname(path).toLowerCase())) throw new Problem(400, 'Not a media file');
  return await sendFile(path, call.headers);
}

async function fileInfo(call: Call): Promise<Answer> {
  return json(await describe(queryOf(call, 'file_path')));
}

async function entries(path: string): Promise<JsonObject[]> {
  const names = await readdir(path);
  const described = await Promise.all(names.map((name) => describe(join(path, name)).catch(() => undefined)));
  return described.filter((entry) => entry !== undefined);
}

async function describe(path: string): Promise<JsonObject> {
  const found = await stat(path);
  const { size, mtimeMs, mode, uid } = found;
  const type = found.isDirectory() ? 'directory' : 'file';
  return { name: basename(path), path, type, is_dir: type === 'directory', size, mtime: mtimeMs / 1000, mode, uid };
}

async function strings<Name extends string>(call: Call, ...names: Name[]): Promise<Record<Name, string>> {
  const body = await rawJson(call);
  return Object.fromEntries(names.map((name) => [name, asString(body[name])])) as Record<Name, string>;
}

function asString(value: Json | undefined): string {
  if (typeof value !== 'string') throw new TypeError('expected str, bytes or os.PathLike object');
  return value;
}

/** Mostly 200 with `error`, in Python's words, in which the path is the host's. */
async function orError(path: string | undefined, act: () => Promise<JsonObject>): Promise<Answer> {
  try {
    return json(await act());
  } catch (error) {
    if (!isFileError(error)) throw error;
    return json({ error: pythonWords(error), ...(path === undefined ? {} : { path }) });
  }
}

const ERRORS: Readonly<Record<string, string>> = {
  ENOENT: '[Errno 2] No such file or directory',
  EACCES: '[Errno 13] Permission denied',
  ENOTDIR: '[Errno 20] Not a directory',
  EISDIR: '[Errno 21] Is a directory',
  ENAMETOOLONG: '[Errno 36] File name too long',
};

function pythonWords({ code, path }: NodeJS.ErrnoException): string {
  const words = ERRORS[code ?? ''] ?? `[Errno 5] Input/output error`;
  return path === undefined ? words : `${words}: '${path}'`;
}

/** The intended 400, 403 and 404 are swallowed: they come out as 500 with their status in the text. */
function errorsAs500(handle: Handler): Handler {
  return async (call) => {
    try {
      return await handle(call);
    } catch (error) {
      if (error instanceof Problem && error.status === 422) throw error;
      if (error instanceof Problem) throw new Problem(500, `${error.status}: ${String(error.detail)}`);
      if (isFileError(error)) throw new Problem(500, '404: File not found');
      throw error;
    }
  };
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
