/**
 * A scripted agent in place of a model: it says what it was asked, draws one picture and tells everybody, in the order
 * of events of the contract's section 4 ("Typical run").
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { nanoid } from './image.ts';
import { callProvider } from './outgoing.ts';
import { makePicture, type Picture } from './picture.ts';
import { isObject, type Json, type JsonObject } from './python-json.ts';
import { type Brief, type Run, readBrief } from './run.ts';
import type { World } from './world.ts';

/**
 * Runs a chat from its body to the last `done`. Throws what fails before the agent starts (a taken session id), which
 * is a 500 to /api/chat and silence to canvas/create; afterwards every failure is an event.
 */
export async function chat(world: World, body: JsonObject, kind: 'chat' | 'magic'): Promise<void> {
  const brief = readBrief(body);
  if (brief.messages.length === 1) {
    const { sessionId: id, canvasId, title, model, provider } = brief;
    world.store.createSession({ id, canvasId, title, model, provider });
  }
  const last = brief.messages.at(-1);
  if (brief.messages.length > 0) {
    if (!isObject(last)) throw new TypeError('the last message is not an object');
    world.store.addMessage(brief.sessionId, last);
  }
  await world.tasks.run(brief.sessionId, async (signal) => {
    const run = startRun(world, brief, signal);
    try {
      await (kind === 'chat' ? script(run) : magic(run));
    } catch (error) {
      if (!signal.aborted) run.emit('error', { error: error instanceof Error ? error.message : String(error) });
    } finally {
      run.emit('done');
    }
  });
}

function startRun(world: World, brief: Brief, signal: AbortSignal): Run {
  const messages: Json[] = [...brief.messages];
  const send = (type: string, fields: JsonObject, canvasId: Json) =>
    world.broadcast('session_update', { session_id: brief.sessionId, canvas_id: canvasId, type, ...fields });
  return {
    world,
    brief,
    signal,
    messages,
    // Null on everything that does not put something on the canvas.
    emit: (type, fields = {}) => send(type, fields, null),
    emitOnCanvas: (type, fields) => send(type, fields, brief.canvasId),
    async step() {
      signal.throwIfAborted();
      await (world.stepMillis > 0 ? pause(world.stepMillis, undefined, { signal }) : nextTurn(undefined, { signal }));
    },
    remember(message) {
      messages.push(message);
      world.store.addMessage(brief.sessionId, message);
    },
  };
}

async function script(run: Run): Promise<void> {
  const { brief } = run;
  // Nothing was asked (`{}` is a 200 and emits under ""): no model answers an empty list.
  if (brief.messages.length === 0) throw new Error('at least one message is required');
  // The model client, and with it the shared key, goes wherever the request's text_model.url says (section 6).
  await callProvider(run.world, brief);
  await run.step();
  allMessages(run);
  const plan = { steps: [`Answer: ${brief.prompt}`, 'Draw one image'] };
  await useTool(run, callOf('write_plan', plan), () => 'Plan written');
  await useTool(run, callOf('transfer_to_image_video_creator', {}), () => 'Transferred to image_video_creator');
  await say(run, ['I will draw what you asked for: ', brief.prompt, '.']);
  if (brief.prompt.includes('[[fail]]')) throw new Error(`the model refused the prompt: ${brief.prompt}`);
  for (let left = run.world.agentSteps + (brief.prompt.includes('[[slow]]') ? 100 : 0); left > 0; left -= 1) {
    await say(run, ['…']);
  }
  const draw = brief.prompt.includes('[[confirm]]') ? drawOnceConfirmed : drawAtOnce;
  await draw(run);
  await say(run, ['Here is the picture for: ', brief.prompt]);
  run.remember({ role: 'assistant', content: `Here is the picture for: ${brief.prompt}` });
  allMessages(run);
  // The stream's own `done`; the chat sends the second one when it ends (contract section 4).
  run.emit('done');
}

/** Magic has no stream of its own, so one `done`; it wants a data: URL and the jaaz key (contract section 3). */
async function magic(run: Run): Promise<void> {
  await run.step();
  if (!run.brief.image.startsWith('data:image/')) throw new Error('no image found in the last message');
  if (run.world.settings.apiKey('jaaz') === '') throw new Error('the jaaz key is missing');
  for (let left = 4; left > 0; left -= 1) await run.step();
  const picture = await makePicture(run);
  const content = markdown(run, picture);
  run.remember({ role: 'assistant', content });
  allMessages(run);
}

async function say(run: Run, fragments: readonly string[]): Promise<void> {
  for (const text of fragments) {
    await run.step();
    run.emit('delta', { text });
  }
}

function allMessages(run: Run): void {
  run.emit('all_messages', { messages: [...run.messages] });
}

async function drawAtOnce(run: Run): Promise<void> {
  const args = { prompt: run.brief.prompt, aspect_ratio: '3:2', input_images: run.brief.inputImages };
  await useTool(run, callOf(run.brief.imageTool, args), async () => markdown(run, await makePicture(run)));
}

/** A tool that needs confirmation sends its arguments without a tool_call before, then waits for a human. */
async function drawOnceConfirmed(run: Run): Promise<void> {
  const call = callOf('generate_video_by_veo3_fast_jaaz', { prompt: run.brief.prompt });
  await sendArguments(run, call);
  const confirmed = run.world.confirmations.wait(call.id, run.signal);
  run.emit('tool_call_pending_confirmation', { id: call.id, name: call.name, arguments: call.arguments });
  const content = (await confirmed) ? markdown(run, await makePicture(run)) : 'The user cancelled the tool call';
  await endCall(run, call, content);
}

interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

function callOf(name: string, args: JsonObject): ToolCall {
  return { id: `call_${nanoid(24).replace(/[-_]/g, 'x')}`, name, arguments: JSON.stringify(args) };
}

async function useTool(run: Run, call: ToolCall, work: () => string | Promise<string>): Promise<void> {
  await run.step();
  run.emit('tool_call', { id: call.id, name: call.name, arguments: '{}' });
  await sendArguments(run, call);
  await run.step();
  await endCall(run, call, await work());
}

async function sendArguments(run: Run, call: ToolCall): Promise<void> {
  const half = Math.ceil(call.arguments.length / 2);
  for (const text of [call.arguments.slice(0, half), call.arguments.slice(half)].filter((part) => part !== '')) {
    await run.step();
    run.emit('tool_call_arguments', { id: call.id, text });
  }
  const described = { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
  run.remember({ role: 'assistant', content: '', tool_calls: [described] });
  allMessages(run);
}

async function endCall(run: Run, call: ToolCall, content: string): Promise<void> {
  const message: JsonObject = { role: 'tool', content, tool_call_id: call.id, name: call.name };
  await run.step();
  run.emit('tool_call_result', { id: call.id, message });
  run.remember(message);
  allMessages(run);
}

/** Absolute and on the upstream's own port: behind a proxy this address bypasses it or breaks (contract section 5). */
function markdown(run: Run, picture: Picture): string {
  const url = `http://localhost:${run.world.defaultPort()}/api/file/${picture.name}`;
  return `image generated successfully ![image_id: ${picture.name}](${url})`;
}
