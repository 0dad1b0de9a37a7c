import { describe, expect, test } from 'vitest';
import { absolutePart, relativeUrls } from '../../src/model/relative-urls.ts';

const relative = relativeUrls(['/api/file/']);

describe('relativeUrls', () => {
  test.each([
    ['http://localhost:57988/api/file/a.png', '/api/file/a.png'],
    ['https://127.0.0.1/api/file/a.png', '/api/file/a.png'],
    ['http://[::1]:1/api/file/a.png', '/api/file/a.png'],
    [
      '![a](http://localhost/api/file/a.png) ![b](http://localhost/api/file/b.png)',
      '![a](/api/file/a.png) ![b](/api/file/b.png)',
    ],
  ])('cuts the origin off %s', (text, expected) => {
    expect(relative(text)).toBe(expected);
  });

  test.each([
    'http://localhost:57988/api/config',
    'http://evil.test/api/file/a.png',
    'http://localhost.evil.test/api/file/a.png',
    'http://localhost:57988@evil.test/api/file/a.png',
    'http://evil.test/?u=//localhost/api/file/a.png',
    'ftp://localhost/api/file/a.png',
    'http://localhost:123456/api/file/a.png',
  ])('leaves %s as it is', (text) => {
    expect(relative(text)).toBe(text);
  });

  test('finds the texts of lists and objects at any depth, and touches nothing else', () => {
    const url = 'http://localhost/api/file/a.png';
    const value = { a: [{ b: url }, 1, null, [url]], c: true, [url]: '' };
    expect(relative(value)).toBe(value);
    expect(value).toEqual({ a: [{ b: '/api/file/a.png' }, 1, null, ['/api/file/a.png']], c: true, [url]: '' });
  });

  test('takes a path letter by letter, not as an expression', () => {
    const url = 'http://localhost/a.b/c';
    expect(relativeUrls(['/a.b/', '/x'])(url)).toBe('/a.b/c');
    expect(relativeUrls(['/a.b/'])('http://localhost/aXb/c')).toBe('http://localhost/aXb/c');
    expect(relativeUrls(['/.*'])(url)).toBe(url);
  });

  test('changes nothing where no path is given', () => {
    expect(relativeUrls([])('http://localhost/api/file/a.png')).toBe('http://localhost/api/file/a.png');
  });
});

describe('absolutePart', () => {
  test('matches up to the path, each time that it occurs', () => {
    const text = 'http://localhost:80/f/1 https://[::1]/f/2 http://localhost/g';
    expect(text.match(absolutePart(['/f/']))).toEqual(['http://localhost:80', 'https://[::1]']);
  });
});
