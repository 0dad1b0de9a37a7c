/** What is wrong with where a route's answer comes from: parts that a shared copy or an answer of our own cannot have. */
import type { ResourceUse } from '../model/route.ts';
import { addFault, type RouteContext } from './scope.ts';

/** Adds a fault for each contradiction. `uses` are the resources that the route names, compiled. */
export const checkAnswer = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  checkFixed(context, uses);
  checkCache(context);
  checkForwardTo(context, uses);
};

type Part = keyof RouteContext['written'];

/** Adds a fault for the first of the parts that the route has. */
const refuseParts = (
  context: RouteContext,
  parts: readonly Part[],
  words: { message: string; expected: string },
): void => {
  const { written } = context;
  for (const part of parts) {
    const value = written[part];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    addFault(context, { ...words, found: part, at: 'key' }, [part]);
  }
};

const WITHOUT_BODY = [204, 205, 304];

const checkFixed = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  const { answer, access } = context.written;
  if (answer === undefined) return;
  refuseParts(context, ['forward-to', 'cache', 'filter', 'rewrite', 'run', 'release', 'query', 'timeout'], {
    message: 'nothing is forwarded where the gateway answers itself',
    expected: 'answer without it',
  });
  const claim = uses.find(({ verb }) => verb === 'create' || verb === 'claim');
  if (claim !== undefined) {
    const message = 'the gateway’s own answer makes nothing that could be owned';
    addFault(context, { message, found: `${claim.verb} ${claim.kind.name}` }, ['answer']);
  }
  if (access === 'denied') addFault(context, { message: 'a denied route has no answer', found: access }, ['access']);
  if (WITHOUT_BODY.includes(answer.status)) {
    const message = 'an answer of this status has no body';
    addFault(context, { message, found: String(answer.status), expected: 'another status' }, ['answer', 'status']);
  }
};

/** The copy is asked for without a word of the client's, so nothing of the request may have a say in it. */
const checkCache = (context: RouteContext): void => {
  const { cache, match, access, filter } = context.written;
  if (cache === undefined) return;
  const message = 'one copy is shared by everybody, so it cannot depend on who asks for what';
  const expected = 'cache without it';
  refuseParts(context, ['roles', 'query', 'body', 'rewrite', 'run', 'release'], { message, expected });
  refuseParts(context, ['timeout'], { message: 'the copy has a time of its own to arrive in', expected });
  if (!/^(?:GET|HEAD) /.test(match)) addFault(context, { message, found: match, expected: 'GET or HEAD' }, ['match']);
  if (/[{*]/.test(match) && context.written['forward-to'] === undefined) {
    addFault(context, { message, found: match, expected: 'a path without parameters' }, ['match']);
  }
  if (access === 'denied') addFault(context, { message, found: access, expected }, ['access']);
  for (const word of ['keep', 'learn', 'user-paths'] as const) {
    if (filter?.[word] !== undefined)
      addFault(context, { message, found: word, expected, at: 'key' }, ['filter', word]);
  }
};

/** What was checked is what is forwarded: another path is asked for only where nothing was checked and nothing is sent. */
const checkForwardTo = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  const { 'forward-to': to, match, access } = context.written;
  if (to === undefined) return;
  const message = 'another path is asked for only where the request says nothing but its own';
  refuseParts(context, ['body', 'rewrite', 'run', 'release'], { message, expected: 'forward-to without it' });
  if (!/^(?:GET|HEAD) /.test(match)) addFault(context, { message, found: match, expected: 'GET or HEAD' }, ['match']);
  const [use] = uses;
  if (use !== undefined)
    addFault(context, { message, found: `{${use.kind.name}}`, expected: 'another name' }, ['match']);
  if (access === 'denied') addFault(context, { message, found: access }, ['access']);
  if (
    to
      .split('/')
      .some((part, index, all) => part === '.' || part === '..' || (part === '' && index > 0 && index < all.length - 1))
  ) {
    addFault(context, { message: 'not a plain path', found: to, expected: 'no empty or dot segments' }, ['forward-to']);
  }
};
