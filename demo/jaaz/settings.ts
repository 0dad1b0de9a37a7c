/** The shared configuration: API keys in clear, for whoever asks (contract sections 3 and 7). The keys are not real. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject } from './python-json.ts';

const DEFAULT_CONFIG: JsonObject = {
  jaaz: {
    url: 'https://jaaz.app/api/v1/',
    api_key: 'sk-FAKE-JAAZ-KEY-7d11c0aa',
    max_tokens: 8192,
    models: { 'gpt-4o': { type: 'text' }, 'gpt-image-1': { type: 'image' } },
  },
  openai: {
    url: 'https://api.openai.com/v1/',
    api_key: 'sk-FAKE-OPENAI-KEY-3f9a52be',
    max_tokens: 8192,
    models: { 'gpt-4o': { type: 'text' }, 'gpt-4o-mini': { type: 'text' }, 'gpt-image-1': { type: 'image' } },
  },
  replicate: {
    url: 'https://api.replicate.com/v1/',
    api_key: 'r8_FAKE-REPLICATE-KEY-90c4',
    max_tokens: 8192,
    models: { 'black-forest-labs/flux-1.1-pro': { type: 'image' } },
  },
  ollama: { url: 'http://localhost:11434', api_key: '', max_tokens: 8192, models: {} },
};

const TOOLS: readonly { provider: string; id: string; type: string; display_name: string }[] = [
  { provider: 'jaaz', id: 'generate_image_by_gpt_image_1_jaaz', type: 'image', display_name: 'GPT Image 1' },
  { provider: 'openai', id: 'generate_image_by_gpt_image_1_openai', type: 'image', display_name: 'GPT Image 1' },
  {
    provider: 'replicate',
    id: 'generate_image_by_flux_1_1_pro_replicate',
    type: 'image',
    display_name: 'Flux 1.1 Pro',
  },
  { provider: 'jaaz', id: 'generate_video_by_veo3_fast_jaaz', type: 'video', display_name: 'Veo 3 Fast' },
];

export type Settings = ReturnType<typeof openSettings>;

/** Returns the configuration of one data directory; its two files are written for those who read the disk. */
export function openSettings(dataDir: string) {
  let config: JsonObject = DEFAULT_CONFIG;
  const settings: JsonObject = { proxy: 'system', enabled_knowledge: [], enabled_knowledge_data: [] };
  mkdirSync(dataDir, { recursive: true });
  const write = () => {
    writeFileSync(join(dataDir, 'config.toml'), toml(config));
    writeFileSync(join(dataDir, 'settings.json'), JSON.stringify(settings));
  };
  write();

  return {
    settings,
    config: () => config,
    /** Replaces everything, unvalidated. */
    replaceConfig(next: JsonObject): void {
      config = next;
      write();
    },
    /** Merges any key. */
    mergeSettings(changes: JsonObject): void {
      Object.assign(settings, changes);
      write();
    },
    apiKey(provider: Json): string {
      const entry = typeof provider === 'string' ? config[provider] : undefined;
      return isObject(entry) && typeof entry.api_key === 'string' ? entry.api_key : '';
    },
    listModels(): Json[] {
      return Object.entries(config).flatMap(([provider, entry]) => {
        if (!isObject(entry) || !isObject(entry.models)) return [];
        const url = entry.url ?? '';
        return Object.entries(entry.models).map(([model, about]) => {
          return { provider, model, url, type: isObject(about) ? (about.type ?? 'text') : 'text' };
        });
      });
    },
    /** Throws when the provider of a tool is gone from the configuration (contract section 3, list_tools). */
    listTools(): Json[] {
      for (const tool of TOOLS) if (!isObject(config[tool.provider])) throw new Error(`no provider ${tool.provider}`);
      return TOOLS.map((tool) => ({ ...tool }));
    },
  };
}

function toml(config: JsonObject): string {
  const sections = Object.entries(config).map(([provider, entry]) => {
    const pairs = isObject(entry) ? Object.entries(entry).filter(([, value]) => !isObject(value)) : [];
    const lines = pairs.map(([key, value]) => `${key} = ${JSON.stringify(typeof value === 'bigint' ? 0 : value)}`);
    return [`[${provider}]`, ...lines].join('\n');
  });
  return `${sections.join('\n\n')}\n`;
}
