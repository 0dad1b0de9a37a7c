import { expect, test } from 'vitest';
import { type Explanation, JUDGING_STAGES } from '../../src/cli/explanation.ts';
import { explanationText } from '../../src/cli/explanation-text.ts';

const allowed: Explanation = {
  request: { method: 'GET', target: '/a', as: 'corp|alice' },
  verdict: 'allowed',
  reason: null,
  detail: null,
  mode: 'enforce',
  findings: [],
  stages: JUDGING_STAGES.map((stage) => ({
    stage,
    verdict: stage === 'forward' || stage === 'filter' ? 'not-reached' : 'passed',
  })),
  route: { id: 'a.read', match: 'GET /a', access: 'user', roles: ['x'], file: '/p.yaml', line: 3, column: 5 },
  nearest: [],
  caller: { owner: 'corp|alice', roles: ['x', 'y'] },
  limits: [{ name: 'requests', points: 60, perMillis: 120_000, by: 'user' }],
  resources: [],
  confirms: null,
  unasked: [],
  claims: [],
  releases: [],
  forwarded: { method: 'GET', target: '/a', headers: { 'x-user-id': 'corp|alice' }, body: null },
  answer: ['it passes as the server gives it'],
  shown: null,
};

test('an explanation reads from top to bottom', () => {
  expect(explanationText(allowed)).toEqual([
    'GET /a as corp|alice',
    '',
    '  canonical     passed',
    '  match         passed   a.read: GET /a (/p.yaml:3)',
    '  authenticate  passed   corp|alice, x, y',
    '                         the route needs a role: x',
    '  limit         passed   requests: 60 in 2m by user',
    '  read          passed',
    '  authorize     passed',
    '  rewrite       passed',
    '  forward       would be GET /a',
    '                         x-user-id: corp|alice',
    '  filter        -        it passes as the server gives it',
    '',
    'Allowed.',
  ]);
});

test('a refusal says why first, and nothing of what was not reached', () => {
  const lines = explanationText({
    ...allowed,
    request: { ...allowed.request, as: null },
    verdict: 'refused',
    reason: 'route-unknown',
    detail: 'no route matches',
    stages: JUDGING_STAGES.map((stage, index) => ({
      stage,
      verdict: index === 0 ? 'passed' : index === 1 ? 'refused' : 'not-reached',
    })),
    route: null,
    nearest: [{ id: 'b', match: 'GET /b', access: 'user', roles: [], file: '/p.yaml', line: 9, column: 5 }],
    forwarded: null,
    shown: { status: 404, headers: {}, body: 'x'.repeat(3_000) },
  });
  expect(lines.slice(0, 7)).toEqual([
    'GET /a as nobody',
    '',
    '  canonical     passed',
    '  match         REFUSED  route-unknown: no route matches',
    '                         the nearest: b: GET /b (/p.yaml:9)',
    '  authenticate  -',
    '  limit         -',
  ]);
  expect(lines.slice(-2)).toEqual(['Refused: route-unknown.', `The caller is shown 404 ${'x'.repeat(2_000)}…`]);
});

test('what is not in effect, and what was not asked, is said at the end', () => {
  const lines = explanationText({
    ...allowed,
    mode: 'shadow',
    findings: [{ would: 'deny', reason: 'token-missing', detail: 'no token' }],
    unasked: ['GET /api/canvas/n'],
  });
  expect(lines.slice(-4)).toEqual([
    'Allowed.',
    'The policy is not in effect here: mode shadow.',
    'It would deny token-missing: no token.',
    'The server was not asked for GET /api/canvas/n: what it names counts as absent.',
  ]);
});

test('a call is told of where its answer is judged, and what cannot be known at the end', () => {
  const confirms = { call: 'c1', at: 'the body’s call', waits: true };
  const waiting = explanationText({ ...allowed, confirms });
  expect(waiting).toContain('  authorize     passed   answer call c1, in the body’s call: it waits');
  expect(waiting.at(-1)).toBe('Allowed.');
  const unknown = explanationText({ ...allowed, confirms: { ...confirms, call: null, waits: false } });
  expect(unknown).toContain('  authorize     passed   answer call ?, in the body’s call: nothing waits for it');
  expect(unknown.at(-1)).toBe('Which calls wait is known from live events alone: here those that --pending names.');
});
