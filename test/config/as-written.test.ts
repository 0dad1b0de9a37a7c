import { expect, test } from 'vitest';
import { secretOf } from '../../src/config/as-written.ts';

test('the environment goes before the file, and an empty variable is none', () => {
  expect(secretOf({ JAAZ_GATEWAY_ISSUER_A_SECRET: 'e' }, 'JAAZ_GATEWAY_ISSUER_A_SECRET', 'f')).toBe('e');
  expect(secretOf({ JAAZ_GATEWAY_ISSUER_A_SECRET: '' }, 'JAAZ_GATEWAY_ISSUER_A_SECRET', 'f')).toBe('f');
  expect(secretOf({}, 'JAAZ_GATEWAY_ISSUER_A_SECRET', 'env')).toBeUndefined();
});
