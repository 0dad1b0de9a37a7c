import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { OPEN } from '../../src/model/wire.ts';

test('what is open here is what the library calls open', () => {
  expect(OPEN).toBe(WebSocket.OPEN);
});
