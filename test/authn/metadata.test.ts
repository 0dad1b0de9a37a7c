import { describe, expect, test } from 'vitest';
import { resourceMetadata } from '../../src/authn/metadata.ts';
import { issuerSettings, request } from '../support/token-issuer.ts';

const KEYS = 'https://issuer.test/keys';
const main = issuerSettings(KEYS);
const asked = (host?: string, secure = true) =>
  request(undefined, { secure, headers: host === undefined ? {} : { host } });

const published = (issuers = [main], url: string | undefined = undefined, at = asked()) => {
  const metadata = resourceMetadata({ issuers, url });
  const answer = metadata?.endpoint.answer({ request: at, form: new Map(), parameter: undefined });
  if (metadata === undefined || answer === undefined || answer instanceof Promise)
    throw new Error('nothing is published');
  return { metadata, answer, document: JSON.parse(String(answer.body)) as Record<string, unknown> };
};

describe('the metadata', () => {
  test('name the resource, and who gives tokens for it', () => {
    const { metadata, answer, document } = published();
    expect(document).toEqual({
      resource: 'https://gateway.example',
      resource_name: 'jaaz-gateway',
      authorization_servers: ['https://issuer.test/'],
      bearer_methods_supported: ['header'],
    });
    expect(metadata.endpoint).toMatchObject({
      method: 'GET',
      path: '/.well-known/oauth-protected-resource',
      form: false,
    });
    expect(answer).toMatchObject({
      status: 200,
      headers: ['content-type', 'application/json', 'cache-control', 'public, max-age=3600'],
    });
  });

  test('are of the known address, or else of the one that was asked', () => {
    expect(published([main], 'https://known.example').document.resource).toBe('https://known.example');
    expect(published([main], undefined, asked('LocalHost:8080', false)).document.resource).toBe(
      'http://localhost:8080',
    );
  });

  test('name those alone whose access tokens are accepted, and who are addresses', () => {
    const introspection = {
      url: 'https://two.test/introspect',
      clientId: 'g',
      clientSecret: 'hidden',
      maxAgeMillis: 1,
    };
    const login = {
      ...{ title: 'Three', clientId: 'g', clientSecret: 'hidden', scopes: ['openid'], algorithms: ['RS256'] },
      ...{ userinfo: false, graceMillis: 0 },
    };
    const { document, answer } = published([
      { ...main, keys: undefined, introspection, name: 'two', issuer: 'https://two.test' },
      { ...main, keys: undefined, login, name: 'three', issuer: 'https://three.test' },
      { ...main, keys: { secret: 'hidden'.repeat(9) }, name: 'four', issuer: 'ours' },
      main,
    ]);
    expect(document.authorization_servers).toEqual(['https://two.test', 'https://issuer.test/']);
    expect(String(answer.body)).not.toContain('hidden');
  });

  test('are not published where nobody’s access tokens are', () => {
    expect(resourceMetadata({ issuers: [], url: undefined })).toBeUndefined();
    expect(resourceMetadata({ issuers: [{ ...main, keys: undefined }], url: undefined })).toBeUndefined();
    expect(resourceMetadata({ issuers: [{ ...main, issuer: 'ours' }], url: undefined })).toBeUndefined();
  });
});

describe('where they are', () => {
  const PATH = '/.well-known/oauth-protected-resource';
  const urlFor = (url?: string, at = asked()) => resourceMetadata({ issuers: [main], url })?.urlFor(at);

  test('is said of the known address, or else of the one that was asked', () => {
    expect(urlFor('https://known.example')).toBe(`https://known.example${PATH}`);
    expect(urlFor()).toBe(`https://gateway.example${PATH}`);
    expect(urlFor(undefined, asked('localhost:8080', false))).toBe(`http://localhost:8080${PATH}`);
  });

  test('is not said where no host is known', () => {
    const nowhere = { ...asked(), headers: new Map() } as unknown as ReturnType<typeof asked>;
    expect(urlFor(undefined, nowhere)).toBeUndefined();
  });
});
