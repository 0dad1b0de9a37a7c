/** A file as Starlette 0.46 sends it: validators that never give a 304, and ranges (contract section 8, end). */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { extname } from 'node:path';
import { type Answer, text } from './http.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.bmp': 'image/bmp',
  '.tiff': 'image/tiff',
  '.svg': 'image/svg+xml',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.mov': 'video/quicktime',
  '.mp3': 'audio/mpeg',
  // Served inline, without nosniff and without a policy (contract section 3).
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
};

/** Returns the whole file or the one range asked for; several ranges get the whole file. */
export async function sendFile(path: string, headers: IncomingHttpHeaders): Promise<Answer> {
  const [bytes, { mtime, mtimeMs, size }] = await Promise.all([readFile(path), stat(path)]);
  const etag = `"${createHash('md5')
    .update(`${mtimeMs / 1000}-${size}`)
    .digest('hex')}"`;
  const modified = mtime.toUTCString();
  const common = {
    'content-type': TYPES[extname(path).toLowerCase()] ?? 'text/plain; charset=utf-8',
    'accept-ranges': 'bytes',
    'last-modified': modified,
    etag,
  };
  const whole: Answer = { status: 200, headers: common, body: bytes };
  const condition = headers['if-range'];
  if (headers.range === undefined || (condition !== undefined && condition !== etag && condition !== modified)) {
    return whole;
  }
  const ranges = readRanges(headers.range, bytes.length);
  if (ranges === 'malformed') return text('Malformed range header.', 400);
  if (ranges.some(([from]) => from < 0 || from >= bytes.length)) {
    return text('', 416, { 'content-range': `*/${bytes.length}` });
  }
  const [first, ...others] = ranges;
  if (first === undefined || others.length > 0) return whole;
  const [from, end] = first;
  if (from > end) return text('Malformed range header.', 400);
  const contentRange = `bytes ${from}-${end - 1}/${bytes.length}`;
  return { status: 206, headers: { ...common, 'content-range': contentRange }, body: bytes.subarray(from, end) };
}

/** Pairs of first byte and the byte after the last; `-5` are the last five. */
function readRanges(header: string, size: number): (readonly [number, number])[] | 'malformed' {
  const equals = header.indexOf('=');
  if (header.slice(0, Math.max(equals, 0)).trim().toLowerCase() !== 'bytes') return 'malformed';
  const list = header.slice(equals + 1);
  const ranges = Array.from(list.matchAll(/(\d*)-(\d*)/g), ([, from = '', to = '']) => {
    if (from === '') return [size - Number(to), size] as const;
    return [Number(from), to === '' ? size : Math.min(Number(to) + 1, size)] as const;
  });
  return ranges.length === 0 ? 'malformed' : ranges;
}
