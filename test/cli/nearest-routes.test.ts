import { describe, expect, test } from 'vitest';
import { nearestRoutes } from '../../src/cli/nearest-routes.ts';
import { jaazPolicy } from '../support/policies.ts';

const { routes } = jaazPolicy();

describe('the nearest routes', () => {
  test.each([
    ['GET', '/api/canva/list', ['canvas.list', 'canvas.read']],
    ['PUT', '/api/canvas/list', ['canvas.list', 'canvas.read']],
    ['POST', '/api/canvas/x/rname', ['canvas.rename']],
    ['DELETE', '/api/canvas/x', ['canvas.read']],
    ['GET', '/entirely/elsewhere/and/far/away', []],
  ])('of %s %s', (method, path, expected) => {
    expect(nearestRoutes(routes, method, path).slice(0, expected.length || 1)).toEqual(expected);
  });

  test('are few', () => {
    expect(nearestRoutes(routes, 'GET', '/api/x').length).toBeLessThanOrEqual(3);
  });
});
