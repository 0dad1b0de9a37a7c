/** The client kit in front of plain servers, which end with the test that started them. */
import { afterEach, expect } from 'vitest';
import { type ClientOptions, GatewayError, gatewayClient } from '../../client/index.ts';
import { type PlainAnswer, plainAnswers } from './plain-answers.ts';

const ends: Array<() => void> = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Starts a server that gives these answers. */
export const serve = async (...answers: PlainAnswer[]) => {
  const server = await plainAnswers(...answers);
  ends.push(server.stop);
  return server;
};

/** A refusal of the gateway's. */
export const problem = (status: number, code: string, headers: Record<string, string> = {}): PlainAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ title: 'No', status, detail: `It is ${code}.`, code, requestId: 'r-1' }),
});
export const FINE: PlainAnswer = { status: 200, body: 'fine' };

/** The kit with one token. */
export const kit = (url: string, more: Partial<ClientOptions> = {}) =>
  gatewayClient({ url, token: () => 'a-token', ...more });

/** Resolves with the GatewayError of a call that must not be answered. */
export const errorOf = async (call: Promise<unknown>): Promise<GatewayError> => {
  const error: unknown = await call.then(
    () => new Error('it was answered'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
};
