/**
 * The upstream is told who is calling in one header. A client that could send it, in whatever spelling, or have it taken
 * away on the way (`Connection: x-user-id`), would be somebody else there.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchange, portOf, requestText } from '../support/wire.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.issuer.token('mallory');
});
afterAll(() => world.close());

const spellings = [
  'X-User-Id',
  'x-user-id',
  'X-USER-ID',
  'X_User_Id',
  'x_user_id',
  'X-User_Id',
  'x.user.id',
  'XUserId',
];
const others = [
  ...[
    'X-User-Roles',
    'x_user_roles',
    'X-User_Roles',
    'X-USER-ROLES',
    'X-User-Tenant',
    'x_user_tenant',
    'X_USER-TENANT',
  ],
  ...['X-Forwarded-User', 'X-Remote-User', 'Remote-User', 'X-Auth-Request-User', 'X-WEBAUTH-USER', 'Cookie'],
  ...['X-Forwarded-Email', 'X-Authenticated-Userid', 'X-Goog-Authenticated-User-Email', 'Proxy-Authorization'],
  ...['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'X-Real-IP', 'X-Request-Id'],
];
const stolen = 'test|alice';

const upstreamHeaders = async (port: number, headers: readonly string[]): Promise<readonly string[]> => {
  const before = world.upstream.requests.length;
  const { answers } = await exchange(port, requestText('GET /api/config/exists HTTP/1.1', headers), { answers: 1 });
  expect(answers.map(({ status }) => status)).toEqual([200]);
  const arrived = world.upstream.requests.slice(before).find(({ path }) => path === '/api/config/exists');
  return arrived?.rawHeaders ?? [];
};

test.each([...spellings, ...others])('%s reaches the bare server, and not through the gateway', async (name) => {
  const direct = await upstreamHeaders(world.upstream.port, ['Host: x', `${name}: ${stolen}`]);
  expect(direct).toContain(stolen);
  const headers = ['Host: x', `Authorization: Bearer ${token}`, `${name}: ${stolen}`];
  const guarded = await upstreamHeaders(portOf(world.gateway.url), headers);
  expect(guarded).not.toContain(stolen);
  expect(guarded.filter((_, index) => guarded[index - 1] === 'x-user-id')).toEqual(['test|mallory']);
});

test('all of them together change nothing, and the token goes no further', async () => {
  const headers = [...spellings, ...others].map((name) => `${name}: ${stolen}`);
  const all = ['Host: x', `Authorization: Bearer ${token}`, ...headers];
  const guarded = await upstreamHeaders(portOf(world.gateway.url), all);
  expect(guarded.join('\n')).not.toContain(stolen);
  expect(guarded.join('\n')).not.toContain(token);
  const names = guarded.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  expect(new Set(names)).toEqual(new Set(['host', 'connection', 'x-request-id', 'x-user-id']));
});

test.each(['x-user-id', 'close, X-User-Id', 'keep-alive, x-user-id, x-request-id', 'x_user_id', 'Upgrade, x-user-id'])(
  'Connection: %s does not take the header away',
  async (connection) => {
    const headers = ['Host: x', `Authorization: Bearer ${token}`, `Connection: ${connection}`, 'X-User-Id: x'];
    const guarded = await upstreamHeaders(portOf(world.gateway.url), headers);
    expect(guarded.filter((_, index) => guarded[index - 1] === 'x-user-id')).toEqual(['test|mallory']);
  },
);

test.each(['user name', 'Zoë', 'a%2Cb', 'a,test|alice', 'a|b', '"; drop', 'x\ty', '\u202eevil'])(
  'the user %j is one header value, and no other user’s',
  async (user) => {
    const bearer = `Authorization: Bearer ${await world.issuer.token(user)}`;
    const { answers } = await exchange(
      portOf(world.gateway.url),
      requestText('GET /api/config/exists HTTP/1.1', ['Host: x', bearer]),
      { answers: 1 },
    );
    // Refused as no possible user, or told in a form from which the user can be read back.
    if (answers[0]?.status === 401) return;
    const value = world.upstream.requests.at(-1)?.headers['x-user-id'];
    expect(decodeURIComponent(String(value))).toBe(`test|${user}`);
  },
);
