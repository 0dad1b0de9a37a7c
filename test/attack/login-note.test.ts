/** The note of a login, which the browser carries: tampered with, forged, kept too long, or made for something else. */
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NOTE_MILLIS } from '../../src/authn/login/note.ts';
import { sealer } from '../../src/authn/seal.ts';
import { type Liar, openLiar } from '../support/oidc-liar.ts';
import { type Came, comeBack, type LoginScene, loginScene, ORIGIN } from '../support/oidc-logins.ts';
import { rejectionOf } from '../support/token-issuer.ts';

let liar: Liar;
let scene: LoginScene;
let aheadMillis = 0;
const now = (): number => Date.now() + aheadMillis;
const secret = randomBytes(32);

beforeEach(async () => {
  aheadMillis = 0;
  liar = await openLiar();
  scene = loginScene([liar.settings()], { now, secret });
});

afterEach(async () => {
  scene.close();
  await liar.close();
});

const come = (): Promise<Came> => comeBack(scene.logins, 'mallory');

const refused = async ({ came }: Came, note: string | undefined): Promise<string> => {
  const { reason, message } = await rejectionOf(() => scene.logins.finish({ ...came, note }));
  expect(reason).toBe('login-failed');
  expect(scene.sessions.open.size).toBe(0);
  expect(liar.forms).toEqual([]);
  return message;
};

test('any changed byte of the note is noticed', async () => {
  const came = await come();
  const bytes = Buffer.from(came.begun.note, 'base64url');
  for (let index = 0; index < bytes.length; index += 7) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(bytes.readUInt8(index) ^ 1, index);
    expect(await refused(came, changed.toString('base64url'))).toContain('not sealed here');
  }
});

test.each(['', 'x', 'e30', 'null', '{}'])('%j is no note', async (note) => {
  expect(await refused(await come(), note)).toMatch(/not sealed here/);
});

test('what was sealed with another secret, or for another purpose, is no note', async () => {
  const came = await come();
  const opened = sealer([secret]).open('login', came.begun.note) ?? '';
  expect(opened).toContain('"provider":"main"');
  expect(await refused(came, sealer([randomBytes(32)]).seal('login', opened))).toContain('not sealed here');
  expect(await refused(came, sealer([secret]).seal('session', opened))).toContain('not sealed here');
});

test('what was sealed here in another form is no note', async () => {
  const came = await come();
  const state = came.begun.state;
  for (const text of ['{}', '[]', 'x', JSON.stringify({ state }), JSON.stringify({ state, begunAtMillis: now() })]) {
    const { reason } = await rejectionOf(() =>
      scene.logins.finish({ ...came.came, note: scene.sealer.seal('login', text) }),
    );
    expect(reason, text).toBe('login-failed');
  }
});

test('a login may take ten minutes and not more', async () => {
  const early = await come();
  const late = await come();
  aheadMillis = NOTE_MILLIS - 60_000;
  liar.lies = { claims: { iat: Math.floor(now() / 1000), exp: Math.floor(now() / 1000) + 300 } };
  expect((await scene.logins.finish(early.came)).owner).toBe('main|mallory');
  aheadMillis = NOTE_MILLIS;
  const { reason, message } = await rejectionOf(() => scene.logins.finish(late.came));
  expect(`${reason}: ${message}`).toBe('login-failed: the login took too long');
});

test('a login that begins in the future is refused', async () => {
  const came = await come();
  aheadMillis = -120_000;
  expect(await refused(came, came.begun.note)).toContain('in the future');
});

test('a note whose provider is no longer there is refused', async () => {
  const came = await come();
  const other = loginScene([liar.settings({}, { name: 'renamed' })], { secret });
  expect((await rejectionOf(() => other.logins.finish(came.came))).reason).toBe('provider-unknown');
  other.close();
});

test('thousands of logins under way hold no memory: the note is all there is of them', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const asked = { provider: 'main', returnTo: '/', origin: ORIGIN };
  const begin = async (times: number): Promise<number> => {
    for (let count = 0; count < times; count += 1) await scene.logins.begin(asked);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await begin(1000);
  // 400 bytes for each of them would be more.
  expect((await begin(4000)) - before).toBeLessThan(1_500_000);
  expect(liar.asked).toEqual(['/.well-known/openid-configuration']);
});

test('another process can finish a login: nothing but the secret is needed', async () => {
  const elsewhere = loginScene([liar.settings()], { secret });
  expect((await elsewhere.logins.finish((await come()).came)).owner).toBe('main|mallory');
  elsewhere.close();
});
