/** Multipart bodies read as leniently as python-multipart does; of several parts of one name the last counts. */
import { Problem } from './http.ts';

interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly data: Buffer;
}

/** Returns the parts of a body, none when the type is not multipart, or throws a 400. */
export function readParts(contentType: string | undefined, body: Buffer): Part[] {
  if (contentType === undefined || !/^multipart\/form-data\b/i.test(contentType.trim())) return [];
  const boundary = parameter(contentType, 'boundary');
  if (boundary === undefined || boundary === '') throw new Problem(400, 'Missing boundary in multipart.');
  const parts: Part[] = [];
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  // The first delimiter may stand at the very beginning, so the body is read as if a line had ended before it.
  const bytes = Buffer.concat([Buffer.from('\r\n'), body]);
  let at = bytes.indexOf(delimiter);
  if (at < 0) throw new Problem(400, 'There was an error parsing the body');
  while (at >= 0) {
    const from = at + delimiter.length;
    if (bytes.toString('latin1', from, from + 2) === '--') break;
    const end = bytes.indexOf(delimiter, from);
    // What is not ended by a delimiter is not a part: the callback for its end is never reached.
    if (end < 0) break;
    const part = readPart(bytes.subarray(from, end));
    if (part !== undefined) parts.push(part);
    at = end;
  }
  return parts;
}

function readPart(bytes: Buffer): Part | undefined {
  const gap = bytes.indexOf('\r\n\r\n');
  if (gap < 0) return undefined;
  const lines = bytes.toString('latin1', 0, gap).split('\r\n');
  // A repeated header line replaces the one before it.
  const disposition = lines.findLast((line) => /^content-disposition\s*:/i.test(line));
  if (disposition === undefined)
    throw new Problem(400, 'The Content-Disposition header field "name" must be provided.');
  const name = parameter(disposition, 'name');
  if (name === undefined) throw new Problem(400, 'The Content-Disposition header field "name" must be provided.');
  return { name, filename: parameter(disposition, 'filename'), data: bytes.subarray(gap + 4) };
}

/** The value of a header's parameter; a quoted one may hold escaped quotes, the last of a name wins. */
function parameter(header: string, wanted: string): string | undefined {
  let found: string | undefined;
  for (const [, name = '', quoted, bare] of header.matchAll(/;\s*([^\s=;]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;]*))/g)) {
    if (name.toLowerCase() !== wanted) continue;
    const value = quoted === undefined ? (bare ?? '').trim() : quoted.replace(/\\(.)/g, '$1');
    found = Buffer.from(value, 'latin1').toString('utf8');
  }
  return found;
}
