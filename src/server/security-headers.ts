/**
 * What every answer tells a browser to beware of, the gateway's own and the upstream's alike. A word of the route's, or of
 * the upstream's where the gateway lets it pass, goes before the one that stands here.
 */
import type { IncomingMessage } from 'node:http';
import { clientAddress } from './client-address.ts';

export interface SecurityHeadersOptions {
  /** Proxies that are believed when they say that a client came by TLS. */
  readonly trustedProxies: readonly string[];
}

/** A year. Without includeSubDomains: the other hosts of the domain are not ours. */
const TRANSPORT_SECURITY = 'max-age=31536000';

/** What browsers show as a page, with scripts that run. */
const PAGE = /^\s*(?:text\/html|application\/xhtml\+xml|image\/svg\+xml|(?:text|application)\/xml)\b/i;

/** Returns what completes the head of an answer: names in lower case and values alternating. */
export const securityHeaders = ({ trustedProxies }: SecurityHeadersOptions) => {
  const cameByTls = tlsChecker(trustedProxies);

  return (head: string[], incoming: IncomingMessage): void => {
    const said = saidIn(head);
    if (!said.sniffing) head.push('x-content-type-options', 'nosniff');
    if (!said.referrer) head.push('referrer-policy', 'same-origin');
    // For listed origins too: what asks by CORS is not subject to it, and nobody shows an origin who embeds a picture.
    if (!said.embedding) head.push('cross-origin-resource-policy', 'same-origin');
    if (said.page && !said.framing) {
      // Beside a policy that is there already: browsers obey each of them.
      head.push('content-security-policy', "frame-ancestors 'self'");
      if (!said.frameOptions) head.push('x-frame-options', 'SAMEORIGIN');
    }
    if (cameByTls(incoming)) head.push('strict-transport-security', TRANSPORT_SECURITY);
  };
};

/** Written out, and without an object for each header: this is asked of every answer. */
const saidIn = (head: readonly string[]) => {
  const said = {
    sniffing: false,
    referrer: false,
    embedding: false,
    page: false,
    framing: false,
    frameOptions: false,
  };
  for (let index = 0; index < head.length; index += 2) {
    switch (head[index]) {
      case 'content-type':
        said.page = PAGE.test(head[index + 1] ?? '');
        break;
      case 'x-content-type-options':
        said.sniffing = true;
        break;
      case 'referrer-policy':
        said.referrer = true;
        break;
      case 'cross-origin-resource-policy':
        said.embedding = true;
        break;
      case 'x-frame-options':
        said.frameOptions = true;
        break;
      case 'content-security-policy':
        said.framing ||= /(?:^|[;,])\s*frame-ancestors\b/i.test(head[index + 1] ?? '');
        break;
    }
  }
  return said;
};

const BY_TLS: ReadonlyMap<string, string> = new Map([['x-forwarded-proto', 'https']]);

/** RFC 6797, section 7.2: never said where TLS is not known to be there. */
const tlsChecker = (trustedProxies: readonly string[]): ((incoming: IncomingMessage) => boolean) => {
  const findClient = clientAddress(trustedProxies);
  if (trustedProxies.length === 0) return () => false;
  return ({ headers, socket }) =>
    headers['x-forwarded-proto'] === 'https' && findClient(socket.remoteAddress ?? '', BY_TLS).secure;
};
