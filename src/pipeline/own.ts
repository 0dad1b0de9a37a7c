/**
 * THE LIFE OF A REQUEST that the gateway answers itself: logging in and out, and what it tells of itself. Nothing of it is
 * forwarded and no policy is asked; it is counted by address, and refused and recorded as every other.
 */
import type { ReadForm } from '../body/form.ts';
import type { OwnAnswer, OwnEndpoint } from '../model/own.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { FilteredResponse } from '../model/response.ts';
import type { Limit } from '../ratelimit/limit.ts';
import { enter, type Life } from './life.ts';

export interface OwnStages {
  readonly endpoints: readonly OwnEndpoint[];
  /** Paths below which everything is the gateway's own, found or not; each ends with a slash. */
  readonly folders: readonly string[];
  canonical(raw: RawRequest): CanonicalRequest;
  readonly limit: Pick<Limit, 'visitor'>;
  readonly readForm: ReadForm;
  filtered(answer: OwnAnswer): FilteredResponse;
}

export interface OwnLife {
  /** Whether a path, as it stands on the wire before the query, is the gateway's own. */
  match(path: string): boolean;
  /** Resolves to the answer, or rejects with a Rejection. */
  live(life: Life): Promise<FilteredResponse>;
}

/** Returns the life. Throws a TypeError where two endpoints answer one request. */
export const ownLife = ({ endpoints, folders, canonical, limit, readForm, filtered }: OwnStages): OwnLife => {
  const find = tableOf(endpoints);
  /** Every request is asked whether it is one of these, and nearly all are told apart by the beginning of their path. */
  const nearby = [...new Set([...folders, ...endpoints.map(({ path }) => folderOf(path))])];
  const isBelow = (path: string): boolean => folders.some((folder) => path.startsWith(folder));
  return {
    // A path that is spelt in another way is another path here, and canonical refuses it (design, law 8).
    match: (path) => nearby.some((folder) => path.startsWith(folder)) && (find.knows(path) || isBelow(path)),

    async live(life) {
      const request = canonical(life.raw);
      life.request = request;
      enter(life, 'match');
      const found = find.endpoint(request);
      if (found === undefined) throw new Rejection('route-unknown', 'the gateway has nothing of its own there');
      const { endpoint, parameter } = found;
      const { id } = endpoint;
      life.own = { id, owner: undefined };
      enter(life, 'limit');
      await limit.visitor(request.address);
      enter(life, 'read');
      if (!endpoint.form && request.hasBody) throw new Rejection('body-unexpected', 'the endpoint takes none');
      const form = endpoint.form ? await readForm(request, life.source) : NO_FIELDS;
      // Whoever is refused from here on has shown something that does not count: that is a failure to be counted too.
      enter(life, 'authenticate');
      const answer = await endpoint.answer({ request, form, parameter });
      life.own = { id, owner: answer.owner };
      enter(life, 'respond');
      return filtered(answer);
    },
  };
};

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

const tableOf = (endpoints: readonly OwnEndpoint[]) => {
  const exact = new Map<string, OwnEndpoint>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.method} ${endpoint.path}`;
    if (exact.has(key)) throw new TypeError(`Two endpoints are at ${key}.`);
    exact.set(key, endpoint);
  }
  const paths = new Set(endpoints.map(({ path }) => path));
  return {
    knows: (path: string): boolean => paths.has(path) || paths.has(folderOf(path)),

    endpoint({ method: asked, path }: CanonicalRequest) {
      // HEAD asks for the head of what GET would answer (RFC 9110, section 9.3.2).
      const method = asked === 'HEAD' ? 'GET' : asked;
      if (path.endsWith('/')) return undefined;
      const folder = folderOf(path);
      const endpoint = exact.get(`${method} ${path}`) ?? exact.get(`${method} ${folder}`);
      if (endpoint === undefined) return undefined;
      return { endpoint, parameter: endpoint.path === path ? undefined : path.slice(folder.length) };
    },
  };
};
