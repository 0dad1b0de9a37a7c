/** Uploads and downloads (contract section 3, "Files"): one flat directory of everybody's files. */
import { stat, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { sendFile } from '../file-answer.ts';
import { type Call, invalid, json, Problem, type Route } from '../http.ts';
import { imageSize, nanoid } from '../image.ts';
import { readParts } from '../multipart.ts';
import type { World } from '../world.ts';

const KEPT = new Set(['png', 'jpg', 'jpeg', 'gif', 'webp', 'bmp', 'tiff']);
/** Names for which Pillow has no writer. */
const UNWRITABLE = new Set(['svg', 'ico', 'avif']);

/** Returns the routes of the files of everyone. */
export function fileRoutes(world: World): Route[] {
  /** Stores the bytes as they come where Jaaz re-encodes them: the one thing an imaging library would be needed for. */
  async function upload(call: Call) {
    const limit = call.query.get('max_size_mb');
    if (limit !== undefined && !isFloat(limit)) throw invalid('float_parsing', ['query', 'max_size_mb'], limit);
    const part = readParts(call.headers['content-type'], await call.body()).findLast(({ name }) => name === 'file');
    if (part === undefined) throw invalid('missing', ['body', 'file'], null);
    // Without a filename the part is a plain value and not a file.
    if (part.filename === undefined) throw invalid('value_error', ['body', 'file'], part.data.toString('latin1'));
    const size = imageSize(part.data);
    const given = extname(part.filename).slice(1).toLowerCase();
    if (size === undefined || UNWRITABLE.has(given)) throw new Error('cannot identify image file');
    const name = `im_${nanoid(8)}.${KEPT.has(given) ? given : 'jpg'}`;
    await writeFile(join(world.filesDir, name), part.data);
    const url = `http://localhost:${world.defaultPort()}/api/file/${name}`;
    return json({ file_id: name, url, width: size.width, height: size.height });
  }

  async function download(call: Call) {
    const file = join(world.filesDir, call.params.name ?? '');
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) throw new Problem(404, 'File not found');
    // `.`, `..` and directories exist but cannot be sent: 500.
    if (!found.isFile()) throw new TypeError('not a file');
    return await sendFile(file, call.headers);
  }

  return [
    { method: 'POST', path: '/api/upload_image', handle: upload },
    { method: 'GET', path: '/api/file/{name}', handle: download },
  ];
}

function isFloat(text: string): boolean {
  return /^\s*[-+]?(?:nan|inf(?:inity)?|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$/i.test(text);
}
