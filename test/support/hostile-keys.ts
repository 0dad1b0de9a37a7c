/** Key servers that lie, each in a way of its own: what an issuer's address may answer when it is not itself. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

const json = { 'content-type': 'application/json' };

/** By what they do; `keys` are good keys, which a lie may be wrapped around. */
export const keyLies = (
  keys: readonly object[],
  elsewhere: string,
): Readonly<Record<string, (response: ServerResponse) => void>> => {
  const good = JSON.stringify({ keys });
  const answered =
    (text: string | Buffer, head: Readonly<Record<string, string>> = json) =>
    (response: ServerResponse) =>
      void response.writeHead(200, head).end(text);
  return {
    'answers 500': (response) => void response.writeHead(500).end('oops'),
    'answers 404 with good keys': (response) => void response.writeHead(404, json).end(good),
    'sends elsewhere': (response) => void response.writeHead(302, { location: elsewhere }).end(),
    'sends elsewhere for good': (response) => void response.writeHead(308, { location: elsewhere }).end(),
    'answers with a page': answered('<!doctype html><title>Log in</title>', { 'content-type': 'text/html' }),
    'answers with a page that is called JSON': answered('<!doctype html><title>Log in</title>'),
    'answers with good keys that are called a page': answered(good, { 'content-type': 'text/html; charset=utf-8' }),
    'answers with nothing': answered(''),
    'answers with half of it': answered(good.slice(0, -20)),
    'answers with a list': answered(JSON.stringify(keys)),
    'answers with keys that are no list': answered(JSON.stringify({ keys: { 0: keys[0] } })),
    'answers with a text as keys': answered('{"keys":"[]"}'),
    'names the keys twice': answered(good.replace('{', '{"keys":[],')),
    'is deeply nested': answered(`{"keys":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
    'answers with 300 kB': answered(good.replace('{', `{"x":"${'x'.repeat(300_000)}",`)),
    'answers with 100 MB in 100 kB': answered(gzipSync(Buffer.alloc(100_000_000, ' ')), {
      ...json,
      'content-encoding': 'gzip',
    }),
    'answers without end': (response) => {
      response.writeHead(200, json);
      const more = () => {
        while (response.write(' '.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    },
    'breaks off': (response) => {
      response.writeHead(200, json).write(good.slice(0, 40), () => response.destroy());
    },
    'says nothing': () => undefined,
    'says little, and slowly': (response) => {
      response.writeHead(200, json);
      const timer = setInterval(() => response.write(' '), 500);
      response.on('close', () => clearInterval(timer));
    },
  };
};
