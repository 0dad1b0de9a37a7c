/** Something at an admin listener's place that answers as it is told, and the files that lead a command to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  /** Undefined where there was none. */
  readonly body: unknown;
}

export const answeringAdmin = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'admin-answers-'));
  const file = join(folder, 'gateway.yaml');
  const tokenFile = join(folder, 'admin.token');
  writeFileSync(
    file,
    'issuers: [{ name: a, issuer: urn:a, audience: j, keys: { secret: env } }]\npolicies: [gone.yaml]\nledger: { sqlite: l.db }\n',
  );
  writeFileSync(tokenFile, 'the-token\n');
  const asked: Asked[] = [];
  const answer = { status: 200, body: '{}' };
  const server = createServer(async (request, response) => {
    const text = (await request.toArray()).join('');
    const { method, url, headers } = request;
    asked.push({ method, url, authorization: headers.authorization, body: text === '' ? undefined : JSON.parse(text) });
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    folder,
    file,
    tokenFile,
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    /** From now on. */
    answers(status: number, body: unknown): void {
      answer.status = status;
      answer.body = typeof body === 'string' ? body : JSON.stringify(body);
    },
    async close() {
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
};
