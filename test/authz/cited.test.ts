import { describe, expect, test } from 'vitest';
import { referenceScan } from '../../src/authz/cited.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';

const file = jaazPolicy().resources.get('file') as ResourceKind;
const scan = referenceScan([file]);

const scanned = (value: unknown) => {
  const { mustOwn, mustNotBeForeign } = scan({ kind: 'json', value: value as JsonObject, bytes: 0 });
  return { own: mustOwn.map(({ id }) => id), notForeign: mustNotBeForeign.map(({ id }) => id) };
};
const say = (text: string) => scanned({ messages: [{ role: 'user', content: [{ type: 'text', text }] }] });

const OWN = 'im_aaaaaaaa.png';

describe('an explicit citation must be the caller’s own', () => {
  test.each([
    ['markup', `<image file_id="${OWN}" width="1"/>`],
    ['single quotes', `<image file_id='${OWN}'/>`],
    ['typographic quotes', `file_id=“${OWN}”`],
    ['single typographic quotes', `file_id=‘${OWN}’`],
    ['back quotes', `file_id=\`${OWN}\``],
    ['no quotes', `file_id=${OWN} please`],
    ['blanks', `file_id  =  "${OWN}"`],
    ['capitals in the word', `FILE_ID="${OWN}"`],
    ['markup inside a JSON text', `{"prompt":"<image file_id=\\"${OWN}\\"/>"}`],
    ['a relative URL', `see /api/file/${OWN} there`],
    ['an absolute URL', `http://localhost:57988/api/file/${OWN}`],
    ['an URL of another host', `https://elsewhere.example/api/file/${OWN}`],
    ['a markdown picture', `![image](/api/file/${OWN})`],
    ['a markdown code', `\`/api/file/${OWN}\``],
    ['an URL inside a JSON text', `{"url":"/api/file/${OWN}\\n"}`],
    ['the end of a sentence', `It is /api/file/${OWN}.`],
    ['the end of an excited sentence', `It is /api/file/${OWN}?!…`],
    ['capitals in the path', `/API/File/${OWN}`],
  ])('%s', (_name, text) => {
    expect(say(text).own).toEqual([OWN]);
  });

  test('a key of that name', () => {
    expect(scanned({ file_id: OWN }).own).toEqual([OWN]);
    expect(scanned({ a: [{ b: { file_id: OWN } }] }).own).toEqual([OWN]);
  });

  test('is listed once, and not again as a bare name', () => {
    const { own, notForeign } = say(`file_id="${OWN}" and /api/file/${OWN} and ${OWN}`);
    expect(own).toEqual([OWN]);
    expect(notForeign).not.toContain(OWN);
  });
});

describe('an explicit citation in a form that no id has is refused', () => {
  test.each([
    ['an escape in an URL', '/api/file/%69m_aaaaaaaa.png'],
    ['an escaped dot', '/api/file/im_aaaaaaaa%2Epng'],
    ['an escape in markup', 'file_id="im%5Faaaaaaaa.png"'],
    ['a path', 'file_id="/etc/passwd"'],
    ['a way up', 'file_id="../../secret.png"'],
    ['a way up behind an URL', '/api/file/../config.toml'],
    ['a query', `/api/file/${OWN}?x=1`],
    ['a fragment', `/api/file/${OWN}#x`],
    ['an id with a tail', `file_id="${OWN}x/../y"`],
  ])('%s', async (_name, text) => {
    expect(await refusalOf(() => say(text))).toBe('reference-foreign 403');
  });

  test('as the value of the key', async () => {
    expect(await refusalOf(() => scanned({ file_id: '/etc/passwd' }))).toBe('reference-foreign 403');
  });

  test('but an empty one cites nothing', () => {
    expect(say('what does file_id="" mean, and /api/file/ ?')).toEqual({ own: [], notForeign: [] });
  });
});

describe('a bare name must not be another’s', () => {
  const drawn = 'abcdefghij.png';
  test.each([
    ['alone', drawn, drawn],
    ['in a sentence', `Take ${drawn}, then stop.`, drawn],
    ['glued to letters before it', `zzzz${drawn}`, drawn],
    ['glued to letters behind it', `${drawn}zzzz`, drawn],
    ['glued to a dot and letters before it', `abc.${drawn}`, drawn],
    ['behind another name', `abcdefghij.${drawn}`, drawn],
    ['behind an upload’s name', `im_aaaaaaaa.vi_bbbbbbbb.mp4`, 'vi_bbbbbbbb.mp4'],
    ['an upload’s', `xxim_aaaaaaaa.pngxx`, 'im_aaaaaaaa.png'],
    ['in an encoded URL', `%2Fapi%2Ffile%2Fim_aaaaaaaa.png`, 'im_aaaaaaaa.png'],
    ['after a key with a colon', `file_id: ${OWN}`, OWN],
  ])('%s', (_name, text, name) => {
    expect(say(text).notForeign).toContain(name);
    expect(say(text).own).toEqual([]);
  });

  test('as a key, however deep', () => {
    expect(scanned({ a: [[{ [drawn]: 1 }]] }).notForeign).toContain(drawn);
  });

  test('as the subtype of a data URL', () => {
    expect(say(`data:image/${drawn};base64,AAAA`).notForeign).toContain(drawn);
  });

  test('in a data URL that is not only base64', () => {
    expect(say(`data:image/png;base64,AAAA ${drawn}`).notForeign).toContain(drawn);
  });

  test('in system prompts and invented tool results', () => {
    const body = { system_prompt: drawn, messages: [{ role: 'tool', content: `done: ${OWN}` }] };
    expect(scanned(body).notForeign).toEqual(expect.arrayContaining([drawn, OWN]));
  });

  test('a text without a name cites nothing', () => {
    expect(say('Draw a cat. Use 3.14 of it, version 10.0.1, e.g. on example.org')).toEqual({ own: [], notForeign: [] });
  });
});

describe('size', () => {
  test('a picture of 30 MB inside a message is passed over', () => {
    const url = `data:image/png;base64,${'QUJD'.repeat(7_500_000)}`;
    expect(scanned({ messages: [{ content: [{ image_url: { url } }] }] })).toEqual({ own: [], notForeign: [] });
  });

  test('a picture of 30 MB inside a sentence is looked through', () => {
    const url = `data:image/png;base64,${'QUJD'.repeat(7_500_000)}`;
    expect(say(`![x](${url}) ${OWN}`).notForeign).toContain(OWN);
  });

  test('a long tail of full stops does not hold up the scan', async () => {
    const text = `/api/file/${'.'.repeat(1_000_000)}x`;
    expect(await refusalOf(() => say(text))).toBe('reference-foreign 403');
  });

  test('more names than anybody means are refused', async () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `${String(index).padStart(10, 'a')}.png`);
    expect(await refusalOf(() => say(names.join(' ')))).toBe('reference-foreign 403');
  });

  test('a history with two hundred pictures is not', () => {
    const names = Array.from({ length: 200 }, (_, index) => `im_${String(index).padStart(8, 'a')}.jpeg`);
    expect(say(names.join(' ')).notForeign).toEqual(expect.arrayContaining(names));
  });
});

test('a form is not looked through: nothing in it is text for an agent', () => {
  expect(scan({ kind: 'multipart', parts: [], bytes: 0 })).toEqual({ mustOwn: [], mustNotBeForeign: [] });
});
