/** Where a program learns how to get a token for this gateway: the metadata of a protected resource (RFC 9728). */
import type { OwnEndpoint } from '../model/own.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { IssuerSettings } from './issuer.ts';

export interface MetadataOptions {
  readonly issuers: readonly IssuerSettings[];
  /** Scheme and host under which the gateway is known; undefined: as each request says. */
  readonly url: string | undefined;
}

export interface ResourceMetadata {
  readonly endpoint: OwnEndpoint;
  /** Returns the address of the document for the host that a request is for; undefined where that is not known. */
  urlFor(request: CanonicalRequest): string | undefined;
}

/** RFC 9728, section 3: of a resource without a path. */
const PATH = '/.well-known/oauth-protected-resource';

const CACHE = 'public, max-age=3600';

/** Returns what is published, undefined where no issuer's access tokens are accepted. */
export const resourceMetadata = ({ issuers, url }: MetadataOptions): ResourceMetadata | undefined => {
  const servers = issuers.filter(takesTokens).map(({ issuer }) => issuer);
  if (servers.length === 0) return undefined;
  const originFor = ({ headers, secure }: CanonicalRequest): string | undefined => {
    if (url !== undefined) return url;
    const host = headers.get('host');
    return host && `${secure ? 'https' : 'http'}://${host.toLowerCase()}`;
  };
  return {
    endpoint: {
      id: 'auth.metadata',
      method: 'GET',
      path: PATH,
      form: false,
      answer({ request }) {
        const document = {
          resource: originFor(request),
          resource_name: 'jaaz-gateway',
          authorization_servers: servers,
          bearer_methods_supported: ['header'],
        };
        return {
          status: 200,
          headers: ['content-type', 'application/json', 'cache-control', CACHE],
          body: Buffer.from(JSON.stringify(document)),
        };
      },
    },
    urlFor(request) {
      const origin = originFor(request);
      return origin && origin + PATH;
    },
  };
};

/** An issuer that is no address is known to the operator alone: there is nothing that a program could ask. */
const takesTokens = ({ issuer, keys, introspection }: IssuerSettings): boolean =>
  (keys ?? introspection) !== undefined && /^https?:$/.test(URL.parse(issuer)?.protocol ?? '');
