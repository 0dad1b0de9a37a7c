/** The shared configuration (contract section 3, "Shared configuration"): one for all, and for all to read and write. */
import { mkdirSync } from 'node:fs';
import { type Call, type Handler, invalid, json, Problem, type Route, rawJson, typedJson } from '../http.ts';
import { isObject } from '../python-json.ts';
import type { World } from '../world.ts';

/** Returns the routes of the configuration, the settings, the models and the tools. */
export function configurationRoutes(world: World): Route[] {
  const { settings } = world;
  const replaceConfig: Handler = async (call) => {
    const body = await rawJson(call);
    return changed(() => settings.replaceConfig(body));
  };

  return [
    { method: 'GET', path: '/api/config/exists', handle: () => json({ exists: true }) },
    { method: 'GET', path: '/api/config', handle: () => json(settings.config()) },
    { method: 'POST', path: '/api/config', handle: replaceConfig },
    { method: 'GET', path: '/api/list_models', handle: () => json(settings.listModels()) },
    { method: 'GET', path: '/api/list_tools', handle: () => json(settings.listTools()) },
    ...settingsRoutes(world),
    ...workflowRoutes(world),
  ];
}

function settingsRoutes({ settings, filesDir }: World): Route[] {
  const merge: Handler = async (call) => {
    const body = await rawJson(call);
    return changed(() => settings.mergeSettings(body));
  };

  async function setProxy(call: Call) {
    const { proxy } = await rawJson(call);
    const known = proxy === 'no_proxy' || proxy === 'system' || (typeof proxy === 'string' && /^\w+:\/\//.test(proxy));
    if (!known) throw new Problem(400, 'Invalid proxy configuration');
    settings.mergeSettings({ proxy });
    return json({ status: 'success', message: 'Proxy settings updated successfully' });
  }

  function proxyStatus() {
    const { proxy } = settings.settings;
    return json({ enable: proxy !== 'no_proxy', configured: proxy !== 'system', message: `proxy: ${String(proxy)}` });
  }

  function knowledge() {
    const data = settings.settings.enabled_knowledge_data;
    const list = Array.isArray(data) ? data : [];
    return json({ success: true, data: list, count: list.length });
  }

  function assetsDir() {
    mkdirSync(filesDir, { recursive: true });
    return json({ success: true, path: filesDir, message: 'My assets directory path retrieved successfully' });
  }

  return [
    { method: 'GET', path: '/api/settings/exists', handle: () => json({ exists: true }) },
    { method: 'GET', path: '/api/settings', handle: () => json(settings.settings) },
    { method: 'POST', path: '/api/settings', handle: merge },
    { method: 'GET', path: '/api/settings/proxy', handle: () => json({ proxy: settings.settings.proxy ?? 'system' }) },
    { method: 'GET', path: '/api/settings/proxy/status', handle: proxyStatus },
    { method: 'POST', path: '/api/settings/proxy', handle: setProxy },
    { method: 'GET', path: '/api/settings/knowledge/enabled', handle: knowledge },
    { method: 'GET', path: '/api/settings/my_assets_dir_path', handle: assetsDir },
  ];
}

/** Errors are 200 too; only a body that does not parse is a 500, as everywhere. */
function changed(change: () => void) {
  try {
    change();
    return json({ status: 'success', message: 'Configuration updated successfully' });
  } catch (error) {
    return json({ status: 'error', message: error instanceof Error ? error.message : String(error) });
  }
}

function workflowRoutes({ store }: World): Route[] {
  async function create(call: Call) {
    const fields = [
      { name: 'name', type: 'string' },
      { name: 'api_json', type: 'object' },
      { name: 'description', type: 'string' },
      { name: 'inputs', type: 'list' },
    ] as const;
    const body = await typedJson(call, fields);
    if (body.name === '' || !isObject(body.api_json)) throw new Problem(400, 'Name and api_json are required');
    store.createWorkflow(body);
    return json({ success: true });
  }

  function remove(call: Call) {
    const id = call.params.id ?? '';
    if (!/^\s*[-+]?\d{1,15}\s*$/.test(id)) throw invalid('int_parsing', ['path', 'id'], id.toWellFormed());
    store.deleteWorkflow(Number(id));
    return json(null);
  }

  return [
    { method: 'POST', path: '/api/settings/comfyui/create_workflow', handle: create },
    { method: 'GET', path: '/api/settings/comfyui/list_workflows', handle: () => json(store.listWorkflows()) },
    { method: 'DELETE', path: '/api/settings/comfyui/delete_workflow/{id}', handle: remove },
  ];
}
