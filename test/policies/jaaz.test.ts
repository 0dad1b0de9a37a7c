import { describe, expect, test } from 'vitest';
import type { PathSegment, Route } from '../../src/model/route.ts';
import { jaazPolicy } from '../support/policies.ts';

const { routes, match } = jaazPolicy();

const part = (segment: PathSegment): string =>
  segment.kind === 'literal' ? segment.text : segment.kind === 'rest' ? '*' : `{${segment.name}}`;
const verbs = ({ uses, references, confirms }: Route): string =>
  [
    ...uses.map(({ verb, kind, at }) => `${verb} ${kind.name} in ${at.in === 'body' ? `body ${at.text}` : at.in}`),
    ...(references === undefined ? [] : ['references']),
    ...(confirms === undefined ? [] : [`confirms ${confirms.text} in ${confirms.of}`]),
  ].join(', ');
const answerOf = ({ fixed, forwardTo, cache, answer }: Route): string => {
  if (fixed !== undefined) return `own ${fixed.status}`;
  if (forwardTo !== undefined) return `-> ${forwardTo}`;
  return cache === undefined ? answer.kind : `shared ${answer.kind}`;
};
const line = (route: Route): string =>
  [
    route.method.padEnd(6),
    `/${route.segments.map(part).join('/')}`.padEnd(58),
    route.id.padEnd(25),
    [route.access, ...route.roles].join(' ').padEnd(10),
    answerOf(route).padEnd(11),
    verbs(route),
  ]
    .join(' ')
    .trimEnd();

test('the compiled routes are those of the golden file', async () => {
  await expect(`${routes.map(line).join('\n')}\n`).toMatchFileSnapshot('jaaz.routes.txt');
});

describe('whoever is no administrator', () => {
  test.each([
    ['GET', '/api/config'],
    ['POST', '/api/config'],
    ['GET', '/api/settings'],
    ['POST', '/api/settings'],
    ['GET', '/api/settings/proxy'],
    ['POST', '/api/settings/comfyui/create_workflow'],
  ])('has no part in %s %s', (method, path) => {
    expect(match(method, path)?.route.roles).toEqual(['admin']);
  });
});

test.each([
  ['POST', '/api/read_file'],
  ['GET', '/api/serve_file'],
  ['POST', '/api/comfyui/object_info'],
  ['POST', '/api/settings/comfyui/proxy'],
  ['GET', '/openapi.json'],
])('%s %s is denied to everybody', (method, path) => {
  expect(match(method, path)?.route.access).toBe('denied');
});

test('only what the page is made of, and what is the same for everybody, is public', () => {
  const withAccess = (wanted: string) => routes.filter(({ access }) => access === wanted).map(({ id }) => id);
  expect(withAccess('public')).toEqual(['ui.assets', 'ui.assets-head', 'ui.logo', 'ui.signed-out']);
  expect(withAccess('page')).toEqual(['ui.index', 'ui.canvas', 'ui.library', 'ui.agent-studio', 'ui.knowledge']);
});
