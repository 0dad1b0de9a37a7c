/** Requests made from the server's place, and diagnostics (contract section 3): any address, itself included. */
import { type Call, json, Problem, type Route, rawJson, typedJson } from '../http.ts';
import { fetchJson } from '../outgoing.ts';
import type { World } from '../world.ts';

/** Returns the routes that fetch what a client names; the TLS tests are fixed reports, nothing leaves the machine. */
export function outgoingRoutes({ dataDir }: World): Route[] {
  async function objectInfo(call: Call) {
    const { url } = await typedJson(call, [{ name: 'url', type: 'string' }]);
    if (url === '') throw new Problem(400, 'URL is required');
    try {
      // An url that ends in `?x=` swallows the path: http://127.0.0.1:PORT/api/config?x= gave the API keys.
      return json(await fetchJson(`${String(url)}/api/object_info`));
    } catch (error) {
      if (isRefused(error)) throw new Problem(503, 'ComfyUI server is not available');
      throw new Problem(500, `Failed to query ComfyUI: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function proxy(call: Call) {
    const { url, path } = await rawJson(call);
    try {
      return json(await fetchJson(`${String(url)}${String(path)}`));
    } catch (error) {
      throw new Problem(500, error instanceof Error ? error.message : String(error));
    }
  }

  const report = { status: 'success', tests: [{ url: 'https://example.invalid', ok: true }], note: 'nothing was sent' };
  const status = { python: '/usr/bin/python3', cafile: '/etc/ssl/certs/ca-certificates.crt', data: dataDir };
  return [
    { method: 'POST', path: '/api/comfyui/object_info', handle: objectInfo },
    { method: 'POST', path: '/api/settings/comfyui/proxy', handle: proxy },
    { method: 'GET', path: '/api/test_ssl', handle: () => json(report) },
    { method: 'GET', path: '/api/test_ssl_full', handle: () => json(report) },
    { method: 'GET', path: '/api/ssl_status', handle: () => json(status) },
  ];
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
