/** The requests that the server makes on a client's word: the attacks of the contract's sections 3 (S) and 6. */
import { isIPv4 } from 'node:net';
import { type Json, loads } from './python-json.ts';
import type { Brief } from './run.ts';
import type { World } from './world.ts';

const PROVIDER_WAIT_MILLIS = 1000;
const FETCH_WAIT_MILLIS = 10_000;

/** Sends the provider's shared key to the url of the request; a stand-in does so to this machine only. */
export async function callProvider(world: World, brief: Brief): Promise<void> {
  if (!isLoopback(brief.modelUrl)) return;
  const key = world.settings.apiKey(brief.provider);
  try {
    const response = await fetch(`${brief.modelUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: brief.model, stream: true, messages: [{ role: 'user', content: brief.prompt }] }),
      signal: AbortSignal.timeout(PROVIDER_WAIT_MILLIS),
    });
    await response.body?.cancel();
  } catch {
    // The scripted agent works without a model.
  }
}

/** Returns the JSON at an address, redirects followed, or throws. */
export async function fetchJson(url: string): Promise<Json> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_WAIT_MILLIS) });
  return loads(new Uint8Array(await response.arrayBuffer()));
}

function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}
