import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DETAILS } from '../../demo/jaaz/openapi.ts';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import { readOperations } from '../../src/policy/openapi-list.ts';

const data = mkdtempSync(join(tmpdir(), 'openapi-'));
let standIn: StandIn;
beforeAll(async () => {
  standIn = await startStandIn({ dataDir: data });
});
afterAll(async () => {
  await standIn.close();
  rmSync(data, { recursive: true });
});

const operations = async () => {
  const read = readOperations(await (await fetch(`${standIn.url}/openapi.json`)).json());
  if ('problem' in read) throw new Error(read.problem);
  return read.operations;
};

test('the list has the 48 routes of the contract, and not the pages', async () => {
  const paths = (await operations()).map(({ method, path }) => `${method} ${path}`);
  expect(paths).toHaveLength(48);
  expect(paths).toEqual(expect.arrayContaining(['GET /api/canvas/list', 'DELETE /api/canvas/{id}/delete']));
  expect(paths.filter((path) => !path.includes(' /api/'))).toEqual([]);
});

test('what is told of a route is told of one that there is', async () => {
  const paths = (await operations()).map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(DETAILS).filter((name) => !paths.includes(name))).toEqual([]);
});

test('a route says its parameters and the fields of its body', async () => {
  const of = async (path: string) => (await operations()).find((one) => `${one.method} ${one.path}` === path);
  expect(await of('DELETE /api/settings/comfyui/delete_workflow/{id}')).toMatchObject({
    parameters: [{ in: 'path', name: 'id', required: true, type: 'integer' }],
  });
  expect((await of('GET /api/serve_file'))?.parameters).toMatchObject([
    { in: 'query', name: 'file_path', required: true },
  ]);
  expect((await of('POST /api/upload_image'))?.body?.fields).toEqual(new Map([['multipart/form-data', ['file']]]));
  expect((await of('POST /api/tool_confirmation'))?.body?.fields).toEqual(
    new Map([['application/json', ['session_id', 'tool_call_id', 'confirmed']]]),
  );
  expect((await of('POST /api/chat'))?.body).toBeUndefined();
});
