/** The socket of the kit, through a real gateway, with the real socket.io-client. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { kitSocket, stopping } from '../support/kit-socket.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ stepMillis: 0 });
});
afterAll(() => world.close());

const good = (seconds = 3600) => world.issuer.token('alice', { expiresInSeconds: seconds });
const forged = async () => `${await good()}x`;
const connect = (given: Omit<Parameters<typeof kitSocket>[0], 'url'>) =>
  kitSocket({ url: world.gateway.url, ...given });

const renewals = () => world.audit().filter(({ detail }) => detail === 'renewed').length;

describe('a socket', () => {
  test('shows its token, and hears what is its user’s', async () => {
    const { isIn, heard, fetch } = connect({ token: () => good() });
    await isIn();
    const body = JSON.stringify({
      name: 'x',
      canvas_id: 'kit-a',
      messages: [{ role: 'user', content: 'a cat' }],
      session_id: 'kit-s',
    });
    await fetch('/api/canvas/create', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await eventually(() => heard.length > 0);
  });

  test('is given what it missed, and told so', async () => {
    const { socket, isIn, heard, notices, fetch } = connect({ token: () => good(), io: { reconnectionDelay: 600 } });
    await isIn();
    const chat = (text: string) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'x',
        canvas_id: `kit-${text}`,
        session_id: `kit-s-${text}`,
        messages: [{ role: 'user', content: text }],
      }),
    });
    await fetch('/api/canvas/create', chat('one'));
    await eventually(() => heard.some((update) => JSON.stringify(update).includes('"done"')));
    const before = heard.length;
    socket.io.engine.close();
    await eventually(() => !socket.connected);
    await fetch('/api/canvas/create', chat('two'));
    await isIn();
    await eventually(() => notices.length > 0);
    const [notice] = notices;
    expect(notice).toEqual({ type: 'history', recovered: true, missed: heard.length - before });
    expect(heard.length).toBeGreaterThan(before);
  });

  test('stays open over several tokens, and shows each before the end of the last', async () => {
    const before = renewals();
    const { isIn, connects, closings, errors } = connect({ token: () => good(3) });
    await isIn();
    await eventually(() => renewals() >= before + 3, 20_000);
    expect([connects(), closings, errors]).toEqual([1, [], []]);
  });

  test('renews an opaque token when the application says', async () => {
    const before = renewals();
    const opaque = async () => ({ token: await good(), expiresAtMillis: Date.now() + 1_500 });
    const { isIn, connects } = connect({ token: opaque });
    await isIn();
    await eventually(() => renewals() > before);
    expect(connects()).toBe(1);
  });

  test('whose token ended comes back with a fresh one after 4401, and said meanwhile that none could be got', async () => {
    const first = await good(3);
    let isDown = true;
    const { isIn, connects, closings, errors, socket } = connect({
      token: () => first,
      refresh: () => (isDown ? Promise.reject(new Error('down')) : good()),
    });
    await isIn();
    socket.once('disconnect', () => {
      isDown = false;
    });
    await eventually(() => connects() === 2);
    expect(closings).toEqual([4401]);
    expect(errors.length).toBeGreaterThan(1);
    expect(errors[0]).toMatchObject({ status: 401, code: 'token-unavailable', cause: new Error('down') });
  });

  test('that is refused for its token comes again once with a fresh one', async () => {
    const stale = await forged();
    const { isIn, errors } = connect({ token: () => stale, refresh: () => good() });
    await isIn();
    expect(errors).toEqual([]);
  });

  test('that is refused twice gives up with an error, and tries again when it is told to', async () => {
    const stale = await forged();
    const other = await good(1800);
    const asked: string[] = [];
    let fresh: string | undefined;
    const { errors, refusals, socket, isIn } = connect({
      token: () => stale,
      refresh(old) {
        asked.push(old);
        return fresh ?? `${other}${'y'.repeat(asked.length)}`;
      },
    });
    await eventually(() => errors.length > 0);
    expect(errors[0]).toMatchObject({ name: 'GatewayError', status: 401, code: 'token-malformed' });
    await eventually(() => refusals.length === 2 && !socket.active);
    fresh = await good();
    socket.connect();
    await isIn();
    // The token that the application still gives, once more; whatever it had tried by itself would have been refused too.
    expect([errors.length, refusals.length]).toEqual([1, 3]);
  });

  test('says why a token of another user was not taken, and goes on with its own', async () => {
    const first = await good(4);
    const { isIn, errors, connects } = connect({ token: () => first, refresh: () => world.issuer.token('bob') });
    await isIn();
    await eventually(() => errors.length > 0);
    expect(errors[0]).toMatchObject({ status: 403, code: 'token-other-owner' });
    expect(connects()).toBe(1);
  });

  test('stops while a token is awaited: nothing is sent any more', async () => {
    const token = Promise.withResolvers<string>();
    let asked = 0;
    const { stop, socket, connects } = connect({
      token() {
        asked += 1;
        return token.promise;
      },
    });
    await eventually(() => asked > 0);
    stop();
    token.resolve(await good());
    // One that begins later is in, and so would this one be.
    await connect({ token: () => good() }).isIn();
    expect([connects(), socket.active]).toEqual([0, false]);
  });

  test('whose transport ended while a token was awaited shows one token on the next, once', async () => {
    const tokens: Array<PromiseWithResolvers<string>> = [];
    const { socket, isIn, connects, refusals } = connect({
      token() {
        const one = Promise.withResolvers<string>();
        tokens.push(one);
        return one.promise;
      },
    });
    let shown = 0;
    const count = ({ type }: { type: string }) => (shown += type === 'message' ? 1 : 0);
    await eventually(() => tokens.length === 1);
    socket.io.engine.close();
    await eventually(() => tokens.length === 2);
    socket.io.engine.on('packetCreate', count as never);
    for (const { resolve } of tokens) resolve(await good());
    await isIn();
    await eventually(() => shown > 0);
    expect([shown, connects(), refusals.filter((data) => data !== undefined)]).toEqual([1, 1, []]);
  });

  test('stops by the signal of its client', async () => {
    const control = new AbortController();
    const { isIn, socket } = connect({ token: () => good(), signal: control.signal });
    await isIn();
    control.abort();
    expect([socket.connected, socket.active]).toEqual([false, false]);
    const late = connect({ token: () => good(), signal: control.signal });
    expect(late.socket.active).toBe(false);
  });

  test('what is lost is told', async () => {
    const { socket, notices, isIn, errors } = connect({ token: () => good() });
    await isIn();
    // What the gateway no longer knows looks as it does after its restart.
    Object.assign(socket, { _pid: `${'x'.repeat(22)}.y` });
    socket.io.engine.close();
    await eventually(() => notices.length > 0);
    expect([notices, errors]).toEqual([[{ type: 'history', recovered: false }], []]);
  });
});

test('a process ends by itself when its socket was stopped: no timer is left', async () => {
  const ended = await stopping(world.gateway.url, await good(), 'connect');
  expect(ended).toEqual({ code: 0, said: 'connect\n', isSoon: true });
});
