/** What `explain` and `test` say is what the gateway does: the same requests, rehearsed and sent over sockets. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadTests } from '../../src/cli/policy-tests/load.ts';
import { askedOf, belongingsOf, callerOf, issuersOf, upstreamOf } from '../../src/cli/policy-tests/scene.ts';
import { ledgerOf } from '../../src/cli/rehearsal/belongings.ts';
import type { ScriptedAnswer } from '../../src/cli/rehearsal/origin.ts';
import { type Asked, rehearsal } from '../../src/cli/rehearsal/rehearsal.ts';
import type { Config } from '../../src/config/config.ts';
import { startGateway } from '../../src/gateway.ts';
import { formatFault } from '../../src/policy/fault.ts';
import type { WrittenRequest } from '../../src/policy/test-document.ts';
import { openSqliteLedger } from '../../src/store/sqlite/ownership-ledger.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { eventually } from '../support/eventually.ts';
import { testIssuer } from '../support/issuer.ts';
import { exchange } from '../support/wire.ts';
import { SOCKETS } from '../support/world.ts';

const loaded = loadTests('policies/jaaz.test.yaml');
if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
const { written: file, policy } = loaded;
const has = upstreamOf(file);

const folder = mkdtempSync(join(tmpdir(), 'rehearsal-agrees-'));
const issuer = await testIssuer(folder, 'users');
afterAll(() => rmSync(folder, { recursive: true }));

/** What both say of one request. */
interface Told {
  readonly reason: unknown;
  readonly status: number;
  readonly body: string;
  readonly forwarded: readonly string[];
}

/** A request id, and a boundary, are another one each time. */
const steady = (text: string): string =>
  text.replace(/"requestId":"[^"]*"/, '').replaceAll(/(?:form-[0-9a-f]+|rehearsal-boundary)/g, 'BOUNDARY');

const rehearsed = async (asked: Asked): Promise<Told> => {
  const stage = rehearsal({ policy, issuers: issuersOf(file), ledger: await ledgerOf(belongingsOf(file)), has });
  const { record, shown, forwarded } = await stage.request(asked);
  const sent = forwarded && `${forwarded.method} ${forwarded.target} ${steady(forwarded.body?.toString() ?? '')}`;
  return {
    reason: record.reason,
    status: shown.status,
    body: steady(shown.body.toString()),
    forwarded: sent === undefined ? [] : [sent],
  };
};

const bodyOf = async (incoming: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of incoming) body += String(chunk);
  return body;
};

const absent = (target: string): ScriptedAnswer => ({
  status: /^\/api\/(?:canvas|chat_session)\/./.test(target) ? 200 : 404,
  headers: {},
  body: Buffer.from(target.startsWith('/api/canvas/') ? 'null' : '[]'),
});

/** The upstream of the same script, behind a socket. */
const scriptedServer = async () => {
  const forwarded: string[] = [];
  let asked: Asked | undefined;
  const server = createServer(async (incoming, outgoing) => {
    const { method = '', url = '' } = incoming;
    const body = await bodyOf(incoming);
    const match = asked && policy.match(asked.method, asked.target.split('?')[0] ?? '');
    // What is forwarded has the request's id; of the gateway's own look-ups one may be for a copy that is shared.
    const isForwarded = incoming.headers['x-request-id'] !== undefined || (match?.route.cache && url === asked?.target);
    if (isForwarded) forwarded.push(`${method} ${url} ${steady(body)}`);
    const answer = (isForwarded ? match && asked?.answer(match) : has.get(url)) ?? absent(url);
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    expect(next: Asked) {
      asked = next;
      forwarded.length = 0;
    },
    forwarded,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

let count = 0;

const startReal = async () => {
  count += 1;
  const [sqlite, audit] = [join(folder, `${count}.db`), join(folder, `${count}.ndjson`)];
  const ledger = openSqliteLedger({ path: sqlite });
  for (const { ref, owner, deleted } of belongingsOf(file)) {
    await ledger.learn({ ref, parent: undefined, origin: 'admin' }, owner);
    if (deleted) await ledger.release(ref, owner);
  }
  await ledger.close();
  const upstream = await scriptedServer();
  const config = {
    file: join(folder, 'gateway.yaml'),
    listen: { host: '127.0.0.1', port: 0, hosts: undefined, trustedProxies: [], origins: [] },
    admin: { host: '127.0.0.1', port: 0 },
    upstream: { url: upstream.url },
    issuers: [issuer.settings],
    ledger: { sqlite },
    redis: undefined,
    sockets: SOCKETS,
    sessions: { idleMillis: 3_600_000, lifetimeMillis: 86_400_000, store: 'ledger', secrets: [] },
    policies: [],
    audit: { file: audit },
    log: { level: 'error' },
  } as unknown as Config;
  const gateway = await startGateway({ config, policy, log: createLog({ level: 'error', file: join(folder, 'log') }) });
  return { gateway, upstream, audit };
};

/** The last line may still be being written. */
const recordsOf = (audit: string): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  const text = readFileSync(audit, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return whole.filter((line) => line !== '').map((line) => JSON.parse(line));
};

/** The chunks of a body, without their framing. */
const joined = (body: string): string => {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, end), 16);
    text += body.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
  return text;
};

/** Sends the request as it stands, byte for byte. */
const sent = async (real: Awaited<ReturnType<typeof startReal>>, asked: Asked): Promise<Told> => {
  const { gateway, upstream, audit } = real;
  upstream.expect(asked);
  const before = recordsOf(audit).length;
  const { method, target, headers, body, caller } = asked;
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close'];
  for (let index = 0; index < headers.length; index += 2) lines.push(`${headers[index]}: ${headers[index + 1]}`);
  if (caller !== undefined)
    lines.push(`Authorization: Bearer ${await issuer.token(caller.user, { roles: caller.roles })}`);
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  const port = Number(new URL(gateway.url).port);
  const { answers } = await exchange(port, body === undefined ? head : Buffer.concat([head, body]), { answers: 1 });
  const [answer] = answers;
  await eventually(() => recordsOf(audit).length > before);
  return {
    reason: recordsOf(audit)[before]?.reason ?? undefined,
    status: answer?.status ?? 0,
    body: steady(
      /^transfer-encoding: chunked/im.test(answer?.head ?? '') ? joined(answer?.body ?? '') : (answer?.body ?? ''),
    ),
    forwarded: [...upstream.forwarded],
  };
};

const close = async ({ gateway, upstream }: Awaited<ReturnType<typeof startReal>>): Promise<void> => {
  await gateway.close(0);
  await upstream.close();
};

const asking = (carrier: Omit<WrittenRequest, 'name' | 'as' | 'expect'>, as: string): Asked =>
  askedOf(carrier, callerOf(file, as));

describe('a rehearsal and the gateway say the same of', () => {
  const once = file.requests.filter(({ repeat }) => repeat === 1);

  test.each(once)('$name', async ({ as, expect: _, name: __, ...carrier }) => {
    const real = await startReal();
    try {
      const asked = asking(carrier, as);
      expect(await sent(real, asked)).toEqual(await rehearsed(asked));
    } finally {
      await close(real);
    }
  });

  test('what only reads, in every row of every matrix', async () => {
    const real = await startReal();
    try {
      for (const { as, rows } of file.matrix) {
        for (const { expect: _, ...carrier } of rows.filter(({ send }) => send.startsWith('GET '))) {
          for (const name of as) {
            const asked = asking(carrier, name);
            const [told, expected] = [await sent(real, asked), await rehearsed(asked)];
            // A copy that is shared was asked for by somebody before.
            const forwarded = policy.match('GET', asked.target)?.route.cache ? [] : told.forwarded;
            const expectedForwarded = policy.match('GET', asked.target)?.route.cache ? [] : expected.forwarded;
            expect({ ...told, forwarded }, `${carrier.send} as ${name}`).toEqual({
              ...expected,
              forwarded: expectedForwarded,
            });
          }
        }
      }
    } finally {
      await close(real);
    }
  });
});
