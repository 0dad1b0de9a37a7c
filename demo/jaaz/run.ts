/** What a chat's body asks for, and what the scripted agent has in hand while it works on it. */
import { isObject, type Json, type JsonObject } from './python-json.ts';
import type { World } from './world.ts';

export interface Brief {
  readonly messages: readonly Json[];
  readonly sessionId: Json;
  readonly canvasId: Json;
  readonly title: string;
  readonly model: Json;
  readonly provider: Json;
  readonly modelUrl: string;
  /** The text of the last message. */
  readonly prompt: string;
  /** The first image_url of the last message, or ''. */
  readonly image: string;
  /** The X of every `<image file_id="X">` in the prompt: whatever the client wrote there. */
  readonly inputImages: string[];
  readonly imageTool: string;
}

export interface Run {
  readonly world: World;
  readonly brief: Brief;
  readonly signal: AbortSignal;
  readonly messages: Json[];
  emit(type: string, fields?: JsonObject): void;
  emitOnCanvas(type: string, fields: JsonObject): void;
  /** Waits for one step's time; throws when the run was cancelled. */
  step(): Promise<void>;
  remember(message: JsonObject): void;
}

/** Returns what a chat, magic or create body asks for; nothing in it is checked, since the upstream checks nothing. */
export function readBrief(body: JsonObject): Brief {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const last = messages.at(-1);
  const content = isObject(last) ? (last.content ?? null) : null;
  const parts = (Array.isArray(content) ? content : []).filter(isObject);
  const texts = parts.flatMap((part) => (typeof part.text === 'string' ? [part.text] : []));
  const prompt = typeof content === 'string' ? content : texts.join('\n');
  const images = parts.flatMap((part) => (isObject(part.image_url) ? [part.image_url.url] : []));
  const textModel = isObject(body.text_model) ? body.text_model : {};
  return {
    messages,
    sessionId: body.session_id === undefined ? '' : body.session_id,
    canvasId: body.canvas_id === undefined ? '' : body.canvas_id,
    // Only a plain text makes a title; the UI sends a list of parts, so its titles are empty (contract section 7).
    title: typeof content === 'string' ? content.slice(0, 200) : '',
    model: textModel.model ?? null,
    provider: textModel.provider ?? null,
    modelUrl: typeof textModel.url === 'string' ? textModel.url : '',
    prompt,
    image: images.find((url) => typeof url === 'string') ?? '',
    inputImages: Array.from(prompt.matchAll(/<image[^>]*\bfile_id="([^"]*)"/g), ([, id = '']) => id),
    imageTool: chosenTool(body.tool_list),
  };
}

function chosenTool(tools: Json | undefined): string {
  const ids = (Array.isArray(tools) ? tools : []).flatMap((tool) => (isObject(tool) ? [tool.id] : []));
  const image = ids.find((id) => typeof id === 'string' && id.startsWith('generate_image'));
  return typeof image === 'string' ? image : 'generate_image_by_gpt_image_1_jaaz';
}
