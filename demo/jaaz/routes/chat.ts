/** The chat routes (contract section 3, "Chat"): any session may be continued, cancelled, read or confirmed by anyone. */
import { chat } from '../agent.ts';
import { type Call, json, Problem, type Route, rawJson, typedJson } from '../http.ts';
import type { World } from '../world.ts';

/** Returns the routes of the chats of everyone. */
export function chatRoutes(world: World): Route[] {
  /** Sends no byte until the agent has ended; the agent does not notice when the client goes away. */
  async function blockingChat(call: Call, kind: 'chat' | 'magic') {
    await chat(world, await rawJson(call), kind);
    return json({ status: 'done' });
  }

  function cancel(call: Call) {
    return json({ status: world.tasks.cancel(call.params.session ?? '') ? 'cancelled' : 'not_found_or_done' });
  }

  async function confirm(call: Call) {
    const fields = [
      { name: 'session_id', type: 'string' },
      { name: 'tool_call_id', type: 'string' },
      { name: 'confirmed', type: 'boolean' },
    ] as const;
    const body = await typedJson(call, fields);
    const id = String(body.tool_call_id);
    // The call's id alone counts; the event goes out under the session of the body, which nobody compares.
    if (!world.confirmations.answer(id, body.confirmed === true)) throw new Problem(500, '404: Tool call not found');
    const type = body.confirmed === true ? 'tool_call_confirmed' : 'tool_call_cancelled';
    world.broadcast('session_update', { session_id: body.session_id, canvas_id: null, type, id });
    return json({ status: 'success' });
  }

  return [
    { method: 'POST', path: '/api/chat', handle: (call) => blockingChat(call, 'chat') },
    { method: 'POST', path: '/api/cancel/{session}', handle: cancel },
    { method: 'POST', path: '/api/magic', handle: (call) => blockingChat(call, 'magic') },
    { method: 'POST', path: '/api/magic/cancel/{session}', handle: cancel },
    {
      method: 'GET',
      path: '/api/chat_session/{session}',
      handle: (call) => json(world.store.history(call.params.session ?? '')),
    },
    { method: 'GET', path: '/api/list_chat_sessions', handle: alwaysFails },
    { method: 'POST', path: '/api/tool_confirmation', handle: confirm },
  ];
}

/** An argument is missing in the upstream's code, so this has never worked. */
function alwaysFails(): never {
  throw new TypeError('list_sessions() missing 1 required positional argument');
}
