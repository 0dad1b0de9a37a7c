/**
 * A page of the user interface, with a script of the gateway's put in front of all others. The script is a convenience:
 * where it is not certain where it belongs, the page stays as it is.
 */
import type { UpstreamAnswer } from '../model/response.ts';

/** An index page has a few kilobytes. */
export const MAX_PAGE_BYTES = 2 * 1024 * 1024;

const HTML = /^\s*text\/html\s*(?:;\s*charset\s*=\s*(?:utf-8|"utf-8")\s*)?;?\s*$/i;

/** True for a whole page whose bytes can be read as text. */
export const isPage = ({ status, headers }: UpstreamAnswer): boolean => {
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
  return status === 200 && typeof type === 'string' && HTML.test(type) && encoding === 'identity';
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Returns the page with `<script src>` before everything in it that could run, or as it is. */
export const withScript = (page: Buffer, src: string): Buffer => {
  let text: string;
  try {
    text = utf8.decode(page);
  } catch {
    // Another alphabet, of which the page itself tells in its first lines: none of its characters is touched.
    return page;
  }
  const at = placeIn(text);
  return at === undefined ? page : Buffer.from(`${text.slice(0, at)}<script src="${src}"></script>${text.slice(at)}`);
};

/** What follows a name ends it: without that, one that is never closed would be tried at each of its lengths. */
const TAG = /<([a-z][^\s/>]*)(?=[\s/>])(?:[^"'>]|"[^"]*"|'[^']*')*>/iy;

/**
 * Returns where the first script of a document belongs: the first tag besides `<html>` decides, because all that may come
 * before it is white space, comments and a doctype. Before any other tag than `<head>` and `<body>` a parser is still in a
 * head that nobody wrote (HTML standard, section 13.2.6.4.3).
 */
const placeIn = (text: string): number | undefined => {
  for (let at = text.indexOf('<'); at !== -1; ) {
    if (text.startsWith('<!', at) || text.startsWith('<?', at)) {
      const end = endOfRemark(text, at);
      if (end === undefined) return undefined;
      at = text.indexOf('<', end);
      continue;
    }
    TAG.lastIndex = at;
    const name = TAG.exec(text)?.[1]?.toLowerCase();
    if (name === undefined) return undefined;
    if (name === 'head' || name === 'body') return TAG.lastIndex;
    if (name !== 'html') return at;
    at = text.indexOf('<', TAG.lastIndex);
  }
  return undefined;
};

/** Returns the end of a comment, a doctype or a processing instruction; undefined where readers could differ. */
const endOfRemark = (text: string, at: number): number | undefined => {
  if (!text.startsWith('<!--', at)) {
    const end = text.indexOf('>', at);
    return end === -1 ? undefined : end + 1;
  }
  // `<!-->` and `<!--->` are whole comments.
  const end = text.indexOf('-->', at + 2);
  return end === -1 || text.slice(at, end).includes('--!>') ? undefined : end + 3;
};
