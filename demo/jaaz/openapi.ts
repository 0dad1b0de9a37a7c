/**
 * The list of routes that FastAPI would make of them (contract section 1, `/openapi.json`): pages, mounts and the
 * documentation itself are not in it, and of a route that parses its own body (section 3, "raw JSON") it knows none.
 */
import type { Route } from './http.ts';
import type { JsonObject } from './python-json.ts';

interface Details {
  readonly query?: readonly { readonly name: string; readonly type: string; readonly required: boolean }[];
  /** The type of a path parameter that is not a text. */
  readonly pathType?: string;
  readonly body?: {
    readonly type: string;
    readonly model: string;
    readonly fields: Readonly<Record<string, JsonObject>>;
  };
}

const text = (name: string, required = true) => ({ name, type: 'string', required });
const json = (model: string, fields: Readonly<Record<string, JsonObject>>) => ({
  type: 'application/json',
  model,
  fields,
});

/** What a route declares besides its path. */
export const DETAILS: Readonly<Record<string, Details>> = {
  'POST /api/tool_confirmation': {
    body: json('ToolConfirmationRequest', {
      session_id: { type: 'string' },
      tool_call_id: { type: 'string' },
      confirmed: { type: 'boolean' },
    }),
  },
  'POST /api/upload_image': {
    query: [{ name: 'max_size_mb', type: 'number', required: false }],
    body: {
      type: 'multipart/form-data',
      model: 'Body_upload_image_api_upload_image_post',
      fields: { file: { type: 'string', format: 'binary' } },
    },
  },
  'POST /api/comfyui/object_info': { body: json('ComfyUIRequest', { url: { type: 'string' } }) },
  'POST /api/settings/comfyui/create_workflow': {
    body: json('CreateWorkflowRequest', {
      name: { type: 'string' },
      api_json: { type: 'object' },
      description: { type: 'string' },
      inputs: { type: 'array' },
    }),
  },
  'DELETE /api/settings/comfyui/delete_workflow/{id}': { pathType: 'integer' },
  'GET /api/list_files_in_dir': { query: [text('rel_path')] },
  'GET /api/browse_filesystem': { query: [text('path', false)] },
  'GET /api/get_media_files': { query: [text('path')] },
  'GET /api/get_file_thumbnail': { query: [text('file_path')] },
  'GET /api/serve_file': { query: [text('file_path')] },
  'GET /api/get_file_info': { query: [text('file_path')] },
};

/** Returns the document that lists these routes. */
export function openapi(routes: readonly Route[]): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  const models = Object.values(DETAILS).flatMap(({ body }) => (body === undefined ? [] : [body]));
  const schemas = Object.fromEntries(
    models.map(({ model, fields }): [string, JsonObject] => [
      model,
      { type: 'object', title: model, properties: fields, required: Object.keys(fields) },
    ]),
  );
  return { openapi: '3.1.0', info: { title: 'FastAPI', version: '0.1.0' }, paths, components: { schemas } };
}

function operation({ method, path }: Route): JsonObject {
  const { query = [], pathType = 'string', body }: Details = DETAILS[`${method} ${path}`] ?? {};
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
      parameter(name, 'path', { type: pathType, required: true }),
    ),
    ...query.map((one) => parameter(one.name, 'query', one)),
  ];
  return {
    operationId: `${path.replace(/\W+/g, '_').replace(/^_|_$/g, '')}_${method.toLowerCase()}`,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        content: { [body.type]: { schema: { $ref: `#/components/schemas/${body.model}` } } },
        required: true,
      },
    }),
    responses: { '200': { description: 'Successful Response', content: { 'application/json': { schema: {} } } } },
  };
}

function parameter(name: string, place: string, { type, required }: { type: string; required: boolean }): JsonObject {
  return { name, in: place, required, schema: { type, title: name } };
}
