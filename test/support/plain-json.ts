/**
 * JSON read in the simplest way there is, by none of the gateway's code: to say what a text means, exactly. Numbers stay
 * decimal, so that none is rounded; a key that is there twice is an error, because then a text means two things.
 */

export type Plain =
  | { readonly number: string }
  | { readonly text: string }
  | { readonly word: string }
  | { readonly list: readonly Plain[] }
  | { readonly object: ReadonlyMap<string, Plain> };

const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)|(true|false|null))/y;

/** Returns what a JSON text means, or throws a SyntaxError. */
export const plainJson = (text: string): Plain => {
  const reader = { text, at: 0 };
  const value = readValue(reader, next(reader));
  if (text.slice(reader.at).trim() !== '') throw new SyntaxError('something behind the value');
  return value;
};

interface Reader {
  readonly text: string;
  at: number;
}

const next = (reader: Reader): string => {
  TOKEN.lastIndex = reader.at;
  const found = TOKEN.exec(reader.text);
  if (found === null) throw new SyntaxError(`no token at ${reader.at}`);
  reader.at = TOKEN.lastIndex;
  return found[0].trim();
};

const readValue = (reader: Reader, token: string): Plain => {
  if (token === '{') return { object: readObject(reader) };
  if (token === '[') return { list: readList(reader) };
  if (token.startsWith('"')) return { text: JSON.parse(token) as string };
  if (/^[tfn]/.test(token)) return { word: token };
  if (/^[-\d]/.test(token)) return { number: decimal(token) };
  throw new SyntaxError(`an unexpected ${token}`);
};

const readList = (reader: Reader): Plain[] => {
  const list: Plain[] = [];
  for (let token = next(reader); token !== ']'; token = next(reader)) {
    if (list.length > 0) {
      if (token !== ',') throw new SyntaxError('no comma');
      token = next(reader);
    }
    list.push(readValue(reader, token));
  }
  return list;
};

const readObject = (reader: Reader): Map<string, Plain> => {
  const object = new Map<string, Plain>();
  for (let token = next(reader); token !== '}'; token = next(reader)) {
    if (object.size > 0) {
      if (token !== ',') throw new SyntaxError('no comma');
      token = next(reader);
    }
    if (!token.startsWith('"') || next(reader) !== ':') throw new SyntaxError('no key');
    const key = JSON.parse(token) as string;
    if (object.has(key)) throw new SyntaxError('a key is there twice');
    object.set(key, readValue(reader, next(reader)));
  }
  return object;
};

/** One spelling for each number: its digits without zeros at the ends, and the power of ten. */
const decimal = (token: string): string => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(token) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  return `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
};
