/** The agent's picture: a file on disk, an element on the canvas of the request, and an event. */
import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { drawPng, imageSize, nanoid, type Size } from './image.ts';
import { isObject, type Json, type JsonObject } from './python-json.ts';
import type { Run } from './run.ts';

export interface Picture {
  /** The file's name; the canvas knows the picture by another random id (contract section 2). */
  readonly name: string;
}

/** Writes the file, then the canvas, then sends image_generated: the order in which a proxy may learn of it. */
export async function makePicture(run: Run): Promise<Picture> {
  const { prompt, model, provider, inputImages } = run.brief;
  const texts = { prompt, model: String(model), provider: String(provider), input_images: inputImages.join(', ') };
  const copied = await openedInput(run);
  const bytes = copied ?? drawPng(prompt, texts);
  const name = `${nanoid(10)}.png`;
  await writeFile(join(run.world.filesDir, name), bytes);
  run.signal.throwIfAborted();
  const { element, file } = putOnCanvas(run, name, imageSize(bytes) ?? { width: 192, height: 128 });
  run.emitOnCanvas('image_generated', { element, file, image_url: `/api/file/${name}` });
  return { name };
}

/**
 * The first file named in the prompt that is an image. An absolute path replaces FILES_DIR and `..` leaves it, as with
 * os.path.join: nothing is confined, and nothing is asked about whose it is (contract section 6).
 */
async function openedInput(run: Run): Promise<Buffer | undefined> {
  for (const id of run.brief.inputImages) {
    try {
      const bytes = await readFile(isAbsolute(id) ? id : join(run.world.filesDir, id));
      // As with Pillow: what is not an image is skipped.
      if (imageSize(bytes) !== undefined) return bytes;
    } catch {
      // A file that cannot be opened only prints a warning upstream.
    }
  }
  return undefined;
}

function putOnCanvas(run: Run, name: string, size: Size): { element: JsonObject; file: JsonObject } {
  const { store } = run.world;
  const id = `im_${nanoid(8)}`;
  const canvas = store.readCanvas(run.brief.canvasId);
  const data: JsonObject = isObject(canvas?.data) ? canvas.data : {};
  const elements: Json[] = Array.isArray(data.elements) ? data.elements : [];
  const file: JsonObject = { id, mimeType: 'image/png', dataURL: `/api/file/${name}`, created: Date.now() };
  const element = imageElement(id, size, elements.length);
  data.elements = [...elements, element];
  data.files = { ...(isObject(data.files) ? data.files : {}), [id]: file };
  // The stored thumbnail is lost until the UI saves again (contract section 5); a missing canvas is no error.
  if (canvas !== undefined) store.saveCanvas(run.brief.canvasId, data, null);
  return { element, file };
}

function imageElement(id: string, { width, height }: Size, index: number): JsonObject {
  const place = { x: (index % 4) * (width + 20), y: Math.floor(index / 4) * (height + 20), width, height };
  const look = {
    angle: 0,
    opacity: 100,
    roughness: 1,
    strokeColor: '#000000',
    fillStyle: 'solid',
    strokeStyle: 'solid',
  };
  const state = { isDeleted: false, locked: false, version: 1, groupIds: [], boundElements: null, roundness: null };
  return { type: 'image', id, ...place, ...look, ...state, fileId: id, status: 'saved', scale: [1, 1], frameId: null };
}
