import { expect, test } from 'vitest';
import { isSupportedAlgorithm } from '../../src/authn/jwk.ts';
import { ALGORITHMS, checkGatewayFile } from '../../src/config/schema.ts';
import { parseDocument } from '../../src/policy/document.ts';

test('every algorithm of public keys that can be configured can be verified, and no other', () => {
  expect(ALGORITHMS.filter((algorithm) => !isSupportedAlgorithm(algorithm))).toEqual(['HS256']);
});

test('an empty section means its defaults', () => {
  const text =
    'issuers: [{ name: a, issuer: a, audience: a, keys: { file: a } }]\npolicies: [a]\naudit: {}\nlisten: {}\n';
  const parsed = parseDocument({ file: 'g', text });
  expect('document' in parsed && checkGatewayFile(parsed.document)).toMatchObject({
    value: { audit: { file: 'data/audit.ndjson' }, listen: { port: 8080 } },
  });
});
