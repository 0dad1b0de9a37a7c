/** Bodies that two parsers read differently, as in hostile.ts: on the stage that refuses them, and over real sockets. */
import type { ReasonCode } from '../../src/model/reason.ts';

export interface HostileBody {
  readonly body: Buffer;
  readonly why: string;
  readonly reason: ReasonCode;
  /** The upstream's parser takes it (contract, section 8), whatever its routes then do with the values. */
  readonly upstream?: 'serves';
}

const text = (content: string, why: string, reason: ReasonCode = 'body-malformed'): HostileBody => ({
  body: Buffer.from(content),
  why,
  reason,
});
const served = (content: string, why: string, reason: ReasonCode = 'body-malformed'): HostileBody => ({
  ...text(content, why, reason),
  upstream: 'serves',
});
const bytes = (body: Buffer, why: string, upstream?: 'serves'): HostileBody => ({
  body,
  why,
  reason: 'body-malformed',
  ...(upstream === undefined ? {} : { upstream }),
});

const plain = '{"name":"x"}';
const bigEndian = (content: string): Buffer => Buffer.from(content, 'utf16le').swap16();
const utf32 = (content: string): Buffer =>
  Buffer.from(new Uint32Array([...content].map((character) => character.codePointAt(0) ?? 0)).buffer);
const mark = '\ufeff';

export const hostileJsonBodies: readonly HostileBody[] = [
  bytes(Buffer.from(plain, 'utf16le'), 'UTF-16 LE', 'serves'),
  bytes(bigEndian(plain), 'UTF-16 BE', 'serves'),
  bytes(Buffer.from(mark + plain, 'utf16le'), 'UTF-16 LE with a mark', 'serves'),
  bytes(bigEndian(mark + plain), 'UTF-16 BE with a mark', 'serves'),
  bytes(utf32(plain), 'UTF-32', 'serves'),
  bytes(utf32(mark + plain), 'UTF-32 with a mark', 'serves'),
  bytes(Buffer.from(mark + plain), 'UTF-8 with a mark', 'serves'),
  bytes(Buffer.from('{"name":"caf\u00e9"}', 'latin1'), 'Latin-1'),
  bytes(
    Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    'a raw surrogate',
    'serves',
  ),
  bytes(Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc0, 0xa2]), Buffer.from('"}')]), 'an overlong quote'),
  bytes(Buffer.from('{"name":"x"}\u0000'), 'a NUL behind the end'),
  served('{"name":"a","name":"b"}', 'a key twice', 'body-duplicate-key'),
  served('{"name":"a","\\u006eame":"b"}', 'a key twice, spelt with an escape', 'body-duplicate-key'),
  served('{"\\u006eame":"a","name":"b"}', 'a key twice, the escape first', 'body-duplicate-key'),
  served('{"name":"x","data":{"a":[{"b":1,"c":2,"b":3}]}}', 'a key twice, deep inside', 'body-duplicate-key'),
  served('{"__proto__":1,"name":"x","__proto__":2}', '__proto__ twice', 'body-duplicate-key'),
  served('{"name":"x","":1,"":2}', 'the empty key twice', 'body-duplicate-key'),
  served('{"name":"x","n":NaN}', 'NaN'),
  served('{"name":"x","n":Infinity}', 'Infinity'),
  served('{"name":"x","n":-Infinity}', 'minus Infinity'),
  served('{"name":"x","n":1e999}', 'a number out of range', 'body-number'),
  served('{"name":"x","n":-1e999}', 'a negative number out of range', 'body-number'),
  served(`{"name":"x","n":1${'0'.repeat(400)}}`, 'an integer out of range', 'body-number'),
  served('{"name":"\\ud800"}', 'half a surrogate pair'),
  served('{"name":"\\udc00"}', 'the other half of a surrogate pair'),
  served('{"name":"\\ud800\\ud800"}', 'two first halves'),
  served('{"name":"\\ud800x\\udc00"}', 'a pair that is torn apart'),
  served('{"name":"\\udc00\\udc00"}', 'two second halves'),
  served('{"name":"\\udc00\\ud800"}', 'a pair the wrong way round'),
  served('{"name":"\\ud800\\ue000"}', 'half a pair before a code just above'),
  served('{"\\ud800":"x"}', 'half a surrogate pair as a key'),
  served(`{"name":"x","data":${'['.repeat(64)}${']'.repeat(64)}}`, 'nested too deeply', 'body-too-deep'),
  text('['.repeat(100_000), 'a hundred thousand open arrays', 'body-too-deep'),
  text('{"a":'.repeat(100_000), 'a hundred thousand open objects', 'body-too-deep'),
  text('', 'nothing'),
  text(' \n\t', 'white space alone'),
  text('{"name":"x"', 'an object that does not end'),
  text('{"name":"x', 'a string that does not end'),
  text('{"name":"x\\', 'an escape that does not end'),
  text('{"name":"x\\u00', 'a code that does not end'),
  text('{"name":"x"}}', 'a brace too many'),
  text('{"name":"x"}{}', 'two values'),
  text('{"name":"x"} x', 'something behind the end'),
  text('{"name":"x",}', 'a comma before the end'),
  text('{,"name":"x"}', 'a comma at the start'),
  text('{"a":[1,]}', 'a comma before the end of an array'),
  text('{"a":[,1]}', 'a comma at the start of an array'),
  text('{"a":[1 2]}', 'no comma'),
  text('{"a" 1}', 'no colon'),
  text('{"a":}', 'no value'),
  text('{"a"}', 'a key alone'),
  text('{"a":1,,"b":2}', 'two commas'),
  text('{"a":1]', 'an object closed as an array'),
  text('{"a":[1}}', 'an array closed as an object'),
  text("{'name':'x'}", 'single quotes'),
  text('{name:"x"}', 'a bare key'),
  text('{1:"x"}', 'a number as a key'),
  text('/* */{"name":"x"}', 'a comment'),
  text('{"name":"x"}// ', 'a comment behind'),
  text('{"name":"a\nb"}', 'a raw line feed in a string'),
  text('{"name":"a\tb"}', 'a raw tab in a string'),
  text('{"name":"a\u0000b"}', 'a raw NUL in a string'),
  text('{"name":"\\x41"}', 'an unknown escape'),
  text('{"name":"\\u00g0"}', 'a malformed code'),
  text('{"name":"\\U0041"}', 'an upper-case escape'),
  text('{\u00a0"name":"x"}', 'white space that is not JSON\u2019s'),
  text('{\f"name":"x"}', 'a form feed'),
  ...['01', '-01', '+1', '.5', '1.', '1.e1', '1e', '1e+', '-', '--1', '0x10', '1_000', '1n', '\u0661'].map((number) =>
    text(`{"n":${number}}`, `the number ${number}`),
  ),
  ...['True', 'tru', 'truex', 'nul', 'undefined', 'None'].map((word) => text(`{"n":${word}}`, `the word ${word}`)),
];

/** Sound JSON, but no object: the upstream fails on each of them with a 500. */
export const hostileJsonRoots: readonly HostileBody[] = ['[]', '"x"', '1', '1.0', 'true', 'null'].map((root) =>
  text(root, `the root ${root}`),
);

/** Content types that a route with a JSON body answers with 415. The upstream looks at none of them. */
export const hostileJsonTypes: readonly string[] = [
  '',
  'text/plain',
  'text/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
  'application/json; charset=utf-8; charset=utf-16',
  'application/json;',
  'application/json, text/plain',
  'application/json; boundary=x',
  'application/jsonx',
  'application/merge-patch+json',
  'xapplication/json',
];

const line = '\r\n';
const head = 'Content-Disposition: form-data; name="file"; filename="a.png"';
const other = head.replace('"file"', '"other"');
const form = (...lines: string[]): Buffer => Buffer.from(lines.join(line), 'latin1');
const part = (headers: string): Buffer => form('--b', headers, '', 'x', '--b--', '');
const formType = 'multipart/form-data; boundary=b';

export interface HostileForm extends HostileBody {
  readonly contentType: string;
}

const odd = (body: Buffer, why: string): HostileForm => ({
  contentType: formType,
  body,
  why,
  reason: 'multipart-malformed',
});

const oddHeads: readonly (readonly [head: string, why: string])[] = [
  [`${head}; filename*=utf-8''b.svg`, 'an extended file name'],
  ['Content-Disposition: form-data; name="file"; filename*=utf-8\'\'b.svg', 'an extended file name alone'],
  ['Content-Disposition: form-data; name="file"; name="other"; filename="a.png"', 'two names'],
  ['Content-Disposition: form-data; name="file"; filename="a.png"; filename="b.svg"', 'two file names'],
  ['Content-Disposition: form-data; filename="a.png"; name="file"', 'the file name first'],
  ['Content-Disposition: form-data; name=file; filename=a.png', 'no quotes'],
  ['Content-Disposition: form-data; name="fi\\"le"; filename="a.png"', 'an escaped quote'],
  ['Content-Disposition: form-data; name="file"; filename="a\\".png"', 'an escaped quote in the file name'],
  ['Content-Disposition: form-data; name="file"; filename="..\\a.png"', 'a backslash in the file name'],
  ['Content-Disposition: form-data; name="file"; filename="a\u0000.png"', 'a NUL in the file name'],
  ['Content-Disposition: form-data; name="file"; filename="a.png"; x=y', 'another parameter'],
  ['Content-Disposition: form-data; name="file"; filename="a.png";', 'a semicolon at the end'],
  ['Content-Disposition: attachment; name="file"; filename="a.png"', 'another disposition'],
  ['Content-Disposition: form-data; name=""; filename="a.png"', 'an empty name'],
  ['Content-Disposition: form-data; name="fi le"; filename="a.png"', 'a space in the name'],
  ['Content-Disposition: form-data; filename="a.png"', 'no name'],
  ['Content-Disposition : form-data; name="file"; filename="a.png"', 'a space before the colon'],
  ['Content-Disposition: form-data;\r\n name="file"; filename="a.png"', 'a folded line'],
  [`${head}\r\n${head}`, 'two dispositions'],
  [`${head}\r\nContent-Type: image/png\r\nContent-Type: text/html`, 'two types'],
  [`${head}\r\nContent-Type: image/png; charset=utf-7`, 'a parameter of the type'],
  [`${head}\r\nContent-Type: multipart/mixed`, 'a form inside a form'],
  [`${head}\r\nContent-Transfer-Encoding: base64`, 'a transfer encoding'],
  [`${head}\r\nContent-Length: 1`, 'a length'],
  [`${head}\r\nX-Other: 1`, 'another header'],
  [`${head}\nContent-Type: image/png`, 'a bare line feed between headers'],
  ['Content-Type: image/png', 'no disposition'],
  [head.replace('a.png', '\u00e2\u0082\u00ac'.repeat(1000)), 'a very long head'],
  [head.replace('a.png', '\u00e9.png'), 'a file name that is not UTF-8'],
];

export const hostileMultipartBodies: readonly HostileForm[] = [
  ...oddHeads.map(([headers, why]) => odd(part(headers), why)),
  odd(form('preamble', '--b', head, '', 'x', '--b--', ''), 'a preamble'),
  odd(form('', '--b', head, '', 'x', '--b--', ''), 'an empty line before'),
  odd(form('--b', head, '', 'x', '--b--', 'epilogue'), 'an epilogue'),
  odd(form('--b', head, '', 'x', '--b--', '', ''), 'two line ends behind'),
  odd(form('--b', head, '', 'x', '--b--\n'), 'a bare line feed behind'),
  odd(form('--b', head, '', 'x', '--b'), 'no end'),
  odd(form('--b', head, '', 'x'), 'a part that does not end'),
  odd(form('--b', head), 'a head that does not end'),
  odd(form('--b--', ''), 'no part'),
  odd(form('--b ', head, '', 'x', '--b--', ''), 'padding behind the boundary'),
  odd(form('--bb', head, '', 'x', '--bb--', ''), 'a longer boundary'),
  odd(form('--b', head, '', 'x', '--bb', head, '', 'y', '--b--', ''), 'a longer boundary inside'),
  odd(form('--b', head, '', 'a --b c', '--b--', ''), 'a boundary inside a line'),
  odd(
    Buffer.from(`--b\r\n${head}\r\n\r\nxyz\n--b\r\n${other}\r\n\r\ny\r\n--b--`),
    'a boundary behind a bare line feed',
  ),
  odd(Buffer.from(`--b\n${head}\n\nx\n--b--\n`), 'bare line feeds'),
  odd(form('--b', head, '', 'x', '--b', head, '', 'y', '--b--', ''), 'a name twice'),
  odd(form('--b', head, '', 'x', '--b', head.replace('"file"', '"FILE'), '', 'y', '--b--', ''), 'a quote missing'),
  odd(
    form(
      ...Array.from(
        { length: 17 },
        (_, n) => `--b\r\n${head.replace('"file"', n === 0 ? '"file"' : `"f${n}"`)}\r\n\r\nx`,
      ),
      '--b--',
    ),
    '17 parts',
  ),
  odd(form('--b', other, '', 'x', '--b--', ''), 'the file is missing'),
  odd(form('--b', 'Content-Disposition: form-data; name="file"', '', 'x', '--b--', ''), 'a field in place of the file'),
  odd(Buffer.alloc(0), 'nothing'),
];

/** Content types that a route with a form answers with 415. */
export const hostileFormTypes: readonly string[] = [
  '',
  'application/json',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=""',
  'multipart/form-data; boundary=b; boundary=c',
  'multipart/form-data; boundary=b; charset=utf-8',
  'multipart/form-data; charset=utf-8; boundary=b',
  'multipart/form-data; boundary="b',
  'multipart/form-data; boundary="b\\"c"',
  'multipart/form-data; boundary=b c',
  'multipart/form-data, multipart/form-data; boundary=b',
  `multipart/form-data; boundary=${'b'.repeat(71)}`,
  'multipart/mixed; boundary=b',
  "multipart/form-data; boundary*=utf-8''b",
  'multipart/form-data; Boundary =b',
];
