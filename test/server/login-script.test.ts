import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { LOGIN_PATHS } from '../../src/model/login.ts';
import { SCRIPT } from '../../src/server/login-script.ts';

interface Answer {
  readonly status: number;
  readonly url: string;
}

class PageRequest extends EventTarget {
  status = 0;
  responseURL = '';
  send(): string {
    return 'sent';
  }
}

class Socket extends EventTarget {
  static readonly OPEN = 1;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
  }
}

/** A page of the gateway's, in which the script has run; `answers` are by address. */
const pageWith = (answers: Readonly<Record<string, number>> = {}, changes: Readonly<Record<string, unknown>> = {}) => {
  const stored = new Map<string, string>();
  const seen = {
    left: [] as string[],
    asked: [] as string[],
    stored,
    options: [] as unknown[],
    timers: [] as Array<() => void>,
  };
  const { origin } = new URL('https://jaaz.example');
  const fetch = (input: string, options?: unknown): Promise<Answer> => {
    const url = new URL(input, origin).href;
    const path = url.replace(origin, '');
    seen.asked.push(path);
    seen.options.push(options);
    const status = answers[path];
    return status === undefined ? Promise.reject(new TypeError('no network')) : Promise.resolve({ status, url });
  };
  const page = {
    fetch,
    URL,
    Proxy,
    Reflect,
    Promise,
    location: {
      href: `${origin}/canvas/a?sessionId=b`,
      host: 'jaaz.example',
      pathname: '/canvas/a',
      search: '?sessionId=b',
      assign: (to: string) => seen.left.push(to),
    },
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: unknown) => stored.set(key, String(value)),
    },
    XMLHttpRequest: class extends PageRequest {},
    WebSocket: Socket as typeof Socket,
    setTimeout: (act: () => void) => seen.timers.push(act),
    ...changes,
  };
  const native = { fetch: page.fetch, WebSocket: page.WebSocket };
  runInContext(SCRIPT, createContext(Object.assign(page, { window: page })));
  return { page, seen, native };
};
/** What was promised has been kept by then. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const LOGIN = '/auth/login?ended&return=%2Fcanvas%2Fa%3FsessionId%3Db';
const gone = { '/api/list': 401, [LOGIN_PATHS.me]: 401 };

describe('an answer of 401', () => {
  test('to fetch sends the page to log in and back, when nobody is logged in', async () => {
    const { page, seen } = pageWith(gone);
    expect((await page.fetch('/api/list')).status).toBe(401);
    await settled();
    expect(seen.left).toEqual([LOGIN]);
    expect(seen.options[1]).toMatchObject({ credentials: 'same-origin', cache: 'no-store' });
  });

  test('leaves the page where it is when somebody is, or when that cannot be told', async () => {
    for (const status of [200, 403, 429, 503]) {
      const { page, seen } = pageWith({ ...gone, [LOGIN_PATHS.me]: status });
      await page.fetch('/api/list');
      await settled();
      expect([seen.left, seen.asked.length], String(status)).toEqual([[], 2]);
    }
    const { page, seen } = pageWith({ '/api/list': 401 });
    await page.fetch('/api/list');
    await settled();
    expect(seen.left).toEqual([]);
  });

  test('of another place is none of ours', async () => {
    const { page, seen } = pageWith(gone, {
      fetch: async () => ({ status: 401, url: 'https://elsewhere.example/api/list' }),
    });
    await page.fetch('https://elsewhere.example/api/list');
    await settled();
    expect([seen.left, seen.asked]).toEqual([[], []]);
  });

  test('to XMLHttpRequest does so too', async () => {
    const { page, seen } = pageWith(gone);
    const request = new page.XMLHttpRequest();
    expect(request.send()).toBe('sent');
    Object.assign(request, { status: 401, responseURL: 'https://jaaz.example/socket.io/?t=1' });
    request.dispatchEvent(new Event('loadend'));
    await settled();
    expect(seen.left).toEqual([LOGIN]);
  });

  test('any other answer asks nothing', async () => {
    for (const status of [200, 304, 403, 500]) {
      const { page, seen } = pageWith({ '/api/list': status });
      await page.fetch('/api/list');
      await settled();
      expect(seen.asked, String(status)).toEqual(['/api/list']);
    }
  });
});

const OPEN = ['open', {}] as const;

describe('a socket', () => {
  const opened = () => {
    const { page, seen } = pageWith(gone);
    const socket = new page.WebSocket('wss://jaaz.example/socket.io/?EIO=4');
    const say = (type: string, fields: object): void =>
      void socket.dispatchEvent(Object.assign(new Event(type), fields));
    return { page, seen, say };
  };

  test.each([
    ['is closed with 4401', [OPEN, ['close', { code: 4401 }]]],
    ['is refused by Socket.IO', [OPEN, ['message', { data: '44{"message":"session-ended"}' }]]],
    ['is disconnected by Socket.IO', [OPEN, ['message', { data: '41' }]]],
    [
      'does not open twice',
      [
        ['close', { code: 1006 }],
        ['close', { code: 1006 }],
      ],
    ],
  ] as const)('that %s asks who one is', async (_what, events) => {
    const { seen, say } = opened();
    for (const [type, fields] of events) say(type, fields);
    await settled();
    expect(seen.left).toEqual([LOGIN]);
  });

  test.each([
    ['does not open once', [['close', { code: 1006 }]]],
    ['closes as it should', [OPEN, ['close', { code: 1000 }]]],
    ['breaks off', [OPEN, ['close', { code: 1006 }], ['close', { code: 1006 }]]],
    ['hears an event', [OPEN, ['message', { data: '42["session_update",{}]' }]]],
    ['hears bytes', [OPEN, ['message', { data: new Uint8Array([52, 52]) }]]],
  ] as const)('that %s asks nothing', async (_what, events) => {
    const { seen, say } = opened();
    for (const [type, fields] of events) say(type, fields);
    await settled();
    expect(seen.asked).toEqual([]);
  });

  test('of another place is none of ours', async () => {
    const { page, seen } = pageWith(gone);
    const socket = new page.WebSocket('wss://elsewhere.example/');
    socket.dispatchEvent(Object.assign(new Event('close'), { code: 4401 }));
    await settled();
    expect(seen.asked).toEqual([]);
  });

  test('keeps its constants, its prototype and its name', () => {
    const { page, native } = pageWith();
    expect(page.WebSocket).not.toBe(native.WebSocket);
    expect(page.WebSocket.OPEN).toBe(1);
    expect(page.WebSocket.name).toBe('Socket');
    expect(new page.WebSocket('wss://jaaz.example/')).toBeInstanceOf(page.WebSocket);
    class More extends page.WebSocket {}
    expect(new More('wss://jaaz.example/')).toBeInstanceOf(More);
  });
});

describe('many at once', () => {
  test('ask once, until a moment later', async () => {
    const { page, seen } = pageWith({ ...gone, [LOGIN_PATHS.me]: 200 });
    await Promise.all(Array.from({ length: 10 }, () => page.fetch('/api/list')));
    await settled();
    const asked = () => seen.asked.filter((path) => path === LOGIN_PATHS.me).length;
    expect(asked()).toBe(1);
    await page.fetch('/api/list');
    await settled();
    expect(asked()).toBe(1);
    for (const act of seen.timers.splice(0)) act();
    await page.fetch('/api/list');
    await settled();
    expect(asked()).toBe(2);
  });

  test('never send the page away twice within ten seconds: that would be a loop', async () => {
    const { page, seen } = pageWith(gone);
    const again = async () => {
      await page.fetch('/api/list');
      await settled();
      for (const act of seen.timers.splice(0)) act();
    };
    await again();
    await again();
    expect(seen.left).toHaveLength(1);
    const [[key = ''] = []] = [...seen.stored];
    seen.stored.set(key, String(Date.now() - 10_001));
    await again();
    expect(seen.left).toHaveLength(2);
  });

  test('ask again when the ten seconds are over: a page that stays would stay for good', async () => {
    const { page, seen } = pageWith(gone);
    await page.fetch('/api/list');
    await settled();
    for (const act of seen.timers.splice(0)) act();
    await page.fetch('/api/list');
    await settled();
    expect(seen.left).toHaveLength(1);
    const [[key = ''] = []] = [...seen.stored];
    seen.stored.set(key, String(Date.now() - 10_001));
    // First what makes room for another question, then the question.
    for (const act of seen.timers.splice(0).toReversed()) act();
    await settled();
    expect(seen.left).toHaveLength(2);
  });

  test('nor where the browser keeps no stamp', async () => {
    const blocked = () => {
      throw new Error('blocked');
    };
    const { page, seen } = pageWith(gone, { sessionStorage: { getItem: blocked, setItem: blocked } });
    await page.fetch('/api/list');
    await settled();
    expect(seen.left).toEqual([]);
  });
});

describe('a page', () => {
  test.each(['fetch', 'XMLHttpRequest', 'WebSocket', 'sessionStorage'])('without %s goes on', (name) => {
    expect(() => pageWith({}, { [name]: undefined })).not.toThrow();
  });

  test('hears a failure of fetch as ever', async () => {
    const { page } = pageWith();
    await expect(page.fetch('/nowhere')).rejects.toThrow('no network');
  });
});

test('the script is small, and is no secret', () => {
  expect(SCRIPT.length).toBeLessThan(2048);
  expect(SCRIPT).not.toContain('`');
  expect(SCRIPT).not.toContain('</script');
});
