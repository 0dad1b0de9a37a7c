import { describe, expect, test } from 'vitest';
import { tokens } from '../../client/tokens.ts';

const jwt = (payload: object): string => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
const endOf = async (token: string) => (await tokens({ token: () => token }).current()).expiresAtMillis;

describe('the end of a token', () => {
  test('is read from a JWT, whatever else is in it', async () => {
    expect(await endOf(jwt({ exp: 8_000_000_000, name: 'Zoë ÿ?>~ 名前' }))).toBe(8_000_000_000_000);
  });

  test('is not known of an opaque token, and of what only looks like one', async () => {
    expect(await Promise.all(['opaque', 'a.b.c', 'a.!.c', jwt({ exp: 'soon' }), jwt({})].map(endOf))).toEqual(
      Array(5).fill(undefined),
    );
  });

  test('is what the application says of an opaque one', async () => {
    const source = tokens({ token: () => ({ token: 'opaque', expiresAtMillis: 8e12 }) });
    expect(await source.current()).toEqual({ token: 'opaque', expiresAtMillis: 8e12 });
  });
});

/** A keeper of tokens whose renewals end when they are told to. */
const keeper = (first = 'a') => {
  const asked: string[] = [];
  const waiting: Array<PromiseWithResolvers<string>> = [];
  const kept = { token: first };
  const source = tokens({
    token: () => kept.token,
    refresh(stale) {
      asked.push(stale);
      const one = Promise.withResolvers<string>();
      waiting.push(one);
      return one.promise;
    },
  });
  const settle = async (work: (one: PromiseWithResolvers<string>) => void): Promise<void> => {
    await expect.poll(() => waiting.length).toBe(1);
    work(waiting.shift() as PromiseWithResolvers<string>);
  };
  return { ...source, asked, kept, settle };
};

describe('a renewal', () => {
  test('is one for all who ask at once, and for those who come late with the old token', async () => {
    const { renewed, current, asked, settle } = keeper();
    const all = [renewed('a'), renewed('a'), renewed('a')];
    await settle(({ resolve }) => resolve('b'));
    expect((await Promise.all(all)).map(({ token }) => token)).toEqual(['b', 'b', 'b']);
    expect((await renewed('a')).token).toBe('b');
    // The application may be slower to keep it than requests are to need it.
    expect((await current()).token).toBe('b');
    expect(asked).toEqual(['a']);
  });

  test('that failed is tried again by the next who needs it', async () => {
    const { renewed, settle, asked } = keeper();
    const first = renewed('a');
    await settle(({ reject }) => reject(new Error('down')));
    await expect(first).rejects.toThrow('down');
    const second = renewed('a');
    await settle(({ resolve }) => resolve('b'));
    expect([(await second).token, asked]).toEqual(['b', ['a', 'a']]);
  });

  test('that brought the same token is not remembered', async () => {
    const { renewed, settle, asked } = keeper();
    const first = renewed('a');
    await settle(({ resolve }) => resolve('a'));
    expect((await first).token).toBe('a');
    const second = renewed('a');
    await settle(({ resolve }) => resolve('b'));
    expect([(await second).token, asked]).toEqual(['b', ['a', 'a']]);
  });

  test('is not needed where the application has another token by now', async () => {
    const { renewed, kept, asked } = keeper();
    kept.token = 'b';
    expect([(await renewed('a')).token, asked]).toEqual(['b', []]);
  });

  test('comes before the use of a token that is over, unless it was just got', async () => {
    const [old, skewed] = [jwt({ exp: 1 }), jwt({ exp: 2 })];
    const { current, kept, settle, asked } = keeper(old);
    const first = current();
    await settle(({ resolve }) => resolve(skewed));
    expect((await first).token).toBe(skewed);
    kept.token = skewed;
    expect((await current()).token).toBe(skewed);
    expect(asked).toEqual([old]);
  });

  test('that fails before the use leaves the judgement to the gateway', async () => {
    const old = jwt({ exp: 1 });
    const { current, settle } = keeper(old);
    const first = current();
    await settle(({ reject }) => reject(new Error('down')));
    expect((await first).token).toBe(old);
  });

  test('goes on from the last one where the application keeps giving the first', async () => {
    const { renewed, current, settle, asked } = keeper();
    for (const [stale, next] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
    ] as const) {
      const one = renewed(stale);
      await settle(({ resolve }) => resolve(next));
      expect([(await one).token, (await current()).token]).toEqual([next, next]);
    }
    expect([(await renewed('a')).token, asked]).toEqual(['d', ['a', 'b', 'c']]);
  });

  test('belongs to a token: another user of the same page has the own one', async () => {
    const { renewed, current, kept, settle } = keeper();
    const first = renewed('a');
    await settle(({ resolve }) => resolve('b'));
    await first;
    kept.token = 'of another user';
    expect((await current()).token).toBe('of another user');
  });
});
