import { expect, test } from 'vitest';
import { isCallId } from '../../src/model/call.ts';

test.each(['call_1', '0', ' ', 'é\n"', '../x', '\u0000', 'x'.repeat(256)])('the id of a call may be %j', (id) => {
  expect(isCallId(id)).toBe(true);
});

test.each([undefined, null, '', 0, true, ['call_1'], { id: 'call_1' }, 'x'.repeat(257)])('but not %j', (id) => {
  expect(isCallId(id)).toBe(false);
});
