/**
 * A strict reader of forms. One crafted body in five is understood differently by different multipart parsers, so only the
 * one plain shape that browsers send is accepted, and what goes on to the upstream is written anew, with a boundary and
 * header lines of our own.
 */

import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { Rejection } from '../model/rejection.ts';
import type { MultipartPart } from '../model/request.ts';

const mediaType = /^multipart\/form-data; ?boundary=(?:"([A-Za-z0-9'()+_,./:=?-]{1,70})"|([A-Za-z0-9'+_.-]{1,70}))$/i;

/** Returns the boundary that a Content-Type names, or undefined when it is not that of a plain form. */
export function boundaryOf(contentType: string): string | undefined {
  const found = mediaType.exec(contentType);
  return found?.[1] ?? found?.[2];
}

const maxParts = 16;
const maxHeadBytes = 2048;
const lineEnd = '\r\n';

/**
 * Returns the parts of a whole form, in order, as views of its bytes; or throws `multipart-malformed`. The boundary must
 * come from `boundaryOf`.
 */
export function parseMultipart(bytes: Buffer, boundary: string): readonly MultipartPart[] {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const parts: MultipartPart[] = [];
  if (bytes.indexOf(delimiter) !== 0) throw malformed('something before the first boundary');
  let at = delimiter.length;
  while (!follows(bytes, at, '--')) {
    if (!follows(bytes, at, lineEnd)) throw malformed('something behind a boundary');
    if (parts.length === maxParts) throw malformed(`more than ${maxParts} parts`);
    const head = at + lineEnd.length;
    const next = bytes.indexOf(delimiter, head);
    // A boundary inside a line ends a part for one parser and not for another.
    if (next === -1 || !follows(bytes, next - lineEnd.length, lineEnd)) throw malformed('a part does not end');
    parts.push(readPart(bytes.subarray(head, Math.max(head, next - lineEnd.length))));
    at = next + delimiter.length;
  }
  const end = at + 2;
  if (end !== bytes.length && !(follows(bytes, end, lineEnd) && end + lineEnd.length === bytes.length)) {
    throw malformed('something behind the last boundary');
  }
  if (parts.length === 0) throw malformed('no part');
  if (new Set(parts.map((part) => part.name)).size < parts.length) throw malformed('two parts of one name');
  return parts;
}

const follows = (bytes: Buffer, at: number, text: string): boolean =>
  bytes.toString('latin1', at, at + text.length) === text;

const disposition =
  /^content-disposition: ?form-data; ?name="([A-Za-z0-9!#$&+.^_`|~-]{1,64})"(?:; ?filename="([^"\\\u0000-\u001f\u007f]{0,1024})")?$/i;
const partType = /^content-type: ?([A-Za-z0-9!#$&+.^_-]{1,127}\/[A-Za-z0-9!#$&+.^_-]{1,127})$/i;

function readPart(part: Buffer): MultipartPart {
  const headEnd = part.indexOf('\r\n\r\n');
  if (headEnd === -1 || headEnd > maxHeadBytes) throw malformed('the head of a part does not end');
  const head = part.subarray(0, headEnd);
  if (!isUtf8(head)) throw malformed('the head of a part is not UTF-8');
  let name: string | undefined;
  let fileName: string | undefined;
  let contentType: string | undefined;
  for (const line of head.toString('utf8').split(lineEnd)) {
    const named = name === undefined ? disposition.exec(line) : null;
    const typed = contentType === undefined ? partType.exec(line) : null;
    if (named !== null) {
      name = named[1];
      fileName = named[2];
    } else if (typed !== null) {
      contentType = typed[1]?.toLowerCase();
    } else {
      throw malformed('a header line of a part that is not accepted');
    }
  }
  if (name === undefined) throw malformed('a part without a name');
  if (contentType?.startsWith('multipart/')) throw malformed('a form inside a form');
  return { name, fileName, contentType, content: part.subarray(headEnd + 4) };
}

const malformed = (what: string): Rejection => new Rejection('multipart-malformed', what);

export interface EncodedForm {
  readonly contentType: string;
  /** The contents are the same bytes, not copies. */
  readonly body: Buffer[];
}

/** Returns the form for the upstream. Of a file's name only the extension goes on, by which the upstream picks the format. */
export function encodeMultipart(parts: readonly MultipartPart[], newBoundary = randomBoundary): EncodedForm {
  let boundary = newBoundary();
  while (parts.some((part) => part.content.includes(boundary))) boundary = newBoundary();
  const body: Buffer[] = [];
  for (const { name, fileName, contentType, content } of parts) {
    const file = fileName === undefined ? '' : `; filename="${plainFileName(fileName)}"`;
    const type = contentType === undefined ? '' : `Content-Type: ${contentType}${lineEnd}`;
    const head = `--${boundary}${lineEnd}Content-Disposition: form-data; name="${name}"${file}${lineEnd}${type}${lineEnd}`;
    body.push(Buffer.from(head, 'latin1'), content, Buffer.from(lineEnd, 'latin1'));
  }
  body.push(Buffer.from(`--${boundary}--${lineEnd}`, 'latin1'));
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}

const randomBoundary = (): string => `form-${randomBytes(24).toString('hex')}`;

function plainFileName(fileName: string): string {
  const extension = /\.([A-Za-z0-9]{1,5})$/.exec(fileName)?.[1];
  return extension === undefined ? 'upload' : `upload.${extension.toLowerCase()}`;
}
