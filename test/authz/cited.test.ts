import { describe, expect, test } from 'vitest';
import { referenceScan } from '../../src/authz/cited.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';

const file = jaazPolicy().resources.get('file') as ResourceKind;
const scan = referenceScan([file]);

const scanned = async (value: unknown) => {
  const { mustOwn, mustNotBeForeign } = await scan({ kind: 'json', value: value as JsonObject, bytes: 0 });
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
  ])('%s', async (_name, text) => {
    expect((await say(text)).own).toEqual([OWN]);
  });

  test('a key of that name', async () => {
    expect((await scanned({ file_id: OWN })).own).toEqual([OWN]);
    expect((await scanned({ a: [{ b: { file_id: OWN } }] })).own).toEqual([OWN]);
  });

  test('is listed once, and not again as a bare name', async () => {
    const { own, notForeign } = await say(`file_id="${OWN}" and /api/file/${OWN} and ${OWN}`);
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

  test('but an empty one cites nothing', async () => {
    expect(await say('what does file_id="" mean, and /api/file/ ?')).toEqual({ own: [], notForeign: [] });
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
  ])('%s', async (_name, text, name) => {
    expect((await say(text)).notForeign).toContain(name);
    expect((await say(text)).own).toEqual([]);
  });

  test('as a key, however deep', async () => {
    expect((await scanned({ a: [[{ [drawn]: 1 }]] })).notForeign).toContain(drawn);
  });

  test('as the subtype of a data URL', async () => {
    expect((await say(`data:image/${drawn};base64,AAAA`)).notForeign).toContain(drawn);
  });

  test('in a data URL that is not only base64', async () => {
    expect((await say(`data:image/png;base64,AAAA ${drawn}`)).notForeign).toContain(drawn);
  });

  test('in system prompts and invented tool results', async () => {
    const body = { system_prompt: drawn, messages: [{ role: 'tool', content: `done: ${OWN}` }] };
    expect((await scanned(body)).notForeign).toEqual(expect.arrayContaining([drawn, OWN]));
  });

  test('a text without a name cites nothing', async () => {
    expect(await say('Draw a cat. Use 3.14 of it, version 10.0.1, e.g. on example.org')).toEqual({
      own: [],
      notForeign: [],
    });
  });
});

describe('size', () => {
  test('a picture of 30 MB inside a message is passed over', async () => {
    const url = `data:image/png;base64,${'QUJD'.repeat(7_500_000)}`;
    expect(await scanned({ messages: [{ content: [{ image_url: { url } }] }] })).toEqual({ own: [], notForeign: [] });
  });

  test('a picture of 30 MB inside a sentence is looked through', async () => {
    const url = `data:image/png;base64,${'QUJD'.repeat(7_500_000)}`;
    expect((await say(`![x](${url}) ${OWN}`)).notForeign).toContain(OWN);
  });

  test('a long tail of full stops does not hold up the scan', async () => {
    const text = `/api/file/${'.'.repeat(1_000_000)}x`;
    expect(await refusalOf(() => say(text))).toBe('reference-foreign 403');
  });

  test('more names than anybody means are refused', async () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `${String(index).padStart(10, 'a')}.png`);
    expect(await refusalOf(() => say(names.join(' ')))).toBe('reference-foreign 403');
  });

  test('a text that is nothing but what a name could be is refused, whatever the grammar', async () => {
    const wide = referenceScan([{ ...file, pattern: /^(?:[a-z]{1,64})$/ }]);
    const before = process.cpuUsage();
    const body = { kind: 'json' as const, value: { a: 'a'.repeat(5_000_000) }, bytes: 0 };
    expect(await refusalOf(async () => wide(body))).toBe('reference-foreign 403');
    // Tried to its end, it would take a minute.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(8_000);
  });

  test('a history with two hundred pictures is not', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `im_${String(index).padStart(8, 'a')}.jpeg`);
    expect((await say(names.join(' '))).notForeign).toEqual(expect.arrayContaining(names));
  });
});

describe('a text that is scanned in slices', () => {
  /** More than a slice, and less than is scanned at once. */
  const LENGTH = 4_400;
  /** Names too: what may be read in one is looked up with it. */
  const within = ['im_aaaaaaaa.pn', 'm_aaaaaaaa.png', 'm_aaaaaaaa.pn'];
  const around = (citation: string, at: number, filler: string) =>
    `${filler.repeat(at)}${citation}${filler.repeat(LENGTH - at)}`;

  test.each([
    ['markup', `<image file_id="${OWN}" />`],
    ['a value with blanks', `file_id = ${OWN} `],
    ['an escaped value', `file_id=\\"${OWN}\\"`],
    ['an URL', `"/api/file/${OWN}"`],
  ])('finds %s wherever it stands, and whole', async (_name, citation) => {
    for (let at = 0; at < LENGTH; at += 1) {
      const { own, notForeign } = await say(around(citation, at, ' '));
      expect([at, own, notForeign]).toEqual([at, [OWN], within]);
    }
  });

  test('finds a bare name wherever it stands, whatever stands around it', async () => {
    for (let at = 0; at < LENGTH; at += 1) {
      const { own, notForeign } = await say(around('abcdefghij.png', at, at % 2 === 0 ? ' ' : '/'));
      expect([at, own, notForeign]).toEqual([at, [], ['abcdefghij.png', 'abcdefghij.pn']]);
    }
  });

  test('does not refuse a citation that is much longer than a slice, and finds what follows it', async () => {
    const other = 'im_cccccccc.png';
    for (const more of [4_000, 8_191, 8_192, 8_193, 60_000]) {
      const text = `file_id${' '.repeat(more)}="${OWN}" /api/file/${OWN}${'.'.repeat(more)} file_id="${other}"`;
      expect((await say(text)).own.toSorted()).toEqual([OWN, other]);
    }
  });

  test('refuses a citation whose end is too far away to be looked for', async () => {
    expect(await refusalOf(() => say(`file_id${' '.repeat(70_000)}="${OWN}"`))).toBe('reference-foreign 403');
    expect(await refusalOf(() => say(`file_id=${'"'.repeat(70_000)}${OWN}`))).toBe('reference-foreign 403');
    expect(await refusalOf(() => say(`/api/file/${OWN}${'.'.repeat(70_000)}`))).toBe('reference-foreign 403');
  });

  test('cites what one that is not cut up would: nothing begins at the start of a slice', async () => {
    const word = { ...file, pattern: /^(?:\b[a-z]{10}[.]png)$/ };
    const say = referenceScan([word]);
    for (let at = 4_080; at < 4_110; at += 1) {
      const text = `${' '.repeat(at)}xxxabcdefghij.png`;
      const found = await say({ kind: 'json', value: { text }, bytes: 0 });
      expect([at, found.mustNotBeForeign]).toEqual([at, []]);
    }
  });

  test.each([
    ['', 3_000_000],
    ['=', 3_000_001],
    ['==', 65_536],
    ['==', 131_071],
  ])('is a data URL also with “%s” at its end, wherever that falls', async (end, length) => {
    const name = referenceScan([{ ...file, pattern: /^[A-Z]{10}$/ }]);
    for (let more = 0; more < 4; more += 1) {
      const text = `data:image/png;base64,${'A'.repeat(length + more)}${end}`;
      const found = await name({ kind: 'json', value: { text }, bytes: 0 });
      expect(found).toEqual({ mustOwn: [], mustNotBeForeign: [] });
    }
  });

  test('finds names in many short texts, and in keys, of a large body', async () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => `text ${index}`);
    const { own, notForeign } = await scanned({ a: texts, b: { [`file_id=${OWN}`]: null }, c: ['abcdefghij.png'] });
    expect([own, notForeign.includes('abcdefghij.png')]).toEqual([[OWN], true]);
  });
});

describe('others get their turn', () => {
  /** How often the event loop came round before the scan was over. */
  const turnsDuring = async (value: unknown): Promise<number> => {
    let [turns, over] = [0, false];
    const turn = (): void => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    try {
      await scanned(value);
      return turns;
    } finally {
      over = true;
    }
  };

  test.each([
    ['of 30 MB of letters', { text: 'QUJD'.repeat(7_500_000) }],
    ['of many short texts', { texts: Array.from({ length: 300_000 }, (_, index) => `a short text of many ${index}`) }],
  ])('during a scan %s', async (_name, value) => {
    expect(await turnsDuring(value)).toBeGreaterThan(20);
  });

  test('and a small body needs no promise', () => {
    const value: JsonObject = { text: `file_id="${OWN}" ${'word '.repeat(1000)}` };
    expect(scan({ kind: 'json', value, bytes: 0 })).not.toBeInstanceOf(Promise);
  });
});

test('a form is not looked through: nothing in it is text for an agent', () => {
  expect(scan({ kind: 'multipart', parts: [], bytes: 0 })).toEqual({ mustOwn: [], mustNotBeForeign: [] });
});
