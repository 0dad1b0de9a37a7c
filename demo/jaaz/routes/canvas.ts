/** The six canvas routes (contract section 3, "Canvas"): no owner, no check, and create starts the chat first. */
import { chat } from '../agent.ts';
import { type Call, json, type Route, rawJson } from '../http.ts';
import type { Json, JsonObject } from '../python-json.ts';
import type { World } from '../world.ts';

/** Returns the routes of the canvases of everyone. */
export function canvasRoutes(world: World): Route[] {
  const { store } = world;

  function read(call: Call) {
    const canvas = store.readCanvas(idOf(call));
    // Missing is 200 `null`; a NaN or a lone surrogate saved earlier makes this a 500 for ever.
    if (canvas === undefined) return json(null);
    return json({ data: canvas.data, name: canvas.name, sessions: canvas.sessions });
  }

  async function create(call: Call) {
    const body = await rawJson(call);
    // The chat task starts before the row is inserted: a taken canvas_id is a 500, and the agent runs all the same.
    chat(world, body, 'chat').catch(() => undefined);
    const id = body.canvas_id ?? null;
    store.createCanvas(id, body.name ?? null);
    return json({ id });
  }

  async function save(call: Call) {
    const body = await rawJson(call);
    store.saveCanvas(idOf(call), member(body, 'data'), member(body, 'thumbnail'));
    return json({ id: idOf(call) });
  }

  async function rename(call: Call) {
    const body = await rawJson(call);
    const name = body.name ?? null;
    // NOT NULL only strikes when there is a row; a missing canvas is 200 with any name.
    store.renameCanvas(idOf(call), name);
    return json({ id: idOf(call) });
  }

  function remove(call: Call) {
    store.deleteCanvas(idOf(call));
    return json({ id: idOf(call) });
  }

  return [
    { method: 'GET', path: '/api/canvas/list', handle: () => json(store.listCanvases()) },
    { method: 'POST', path: '/api/canvas/create', handle: create },
    { method: 'GET', path: '/api/canvas/{id}', handle: read },
    { method: 'POST', path: '/api/canvas/{id}/save', handle: save },
    { method: 'POST', path: '/api/canvas/{id}/rename', handle: rename },
    { method: 'DELETE', path: '/api/canvas/{id}/delete', handle: remove },
  ];
}

function idOf(call: Call): string {
  return call.params.id ?? '';
}

/** Both keys of a save are required, null is a value; Python's KeyError is a 500. */
function member(body: JsonObject, name: string): Json {
  const value = body[name];
  if (value === undefined) throw new TypeError(`no ${name}`);
  return value;
}
