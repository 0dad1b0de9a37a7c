import { describe, expect, test } from 'vitest';
import { isHostPath } from '../../src/realtime/host-path.ts';

describe('a path of the host', () => {
  test.each([
    '/etc/secret.png',
    '/home/me/Pictures/A holiday.JPG',
    '/x.png',
    '//server/x.png',
    '~/x.webp',
    '~alice/x.webp',
    'C:\\Users\\x.gif',
    'c:/x.bmp',
    'D:x.bmp',
    '\\\\server\\share\\x.tiff',
    '\\Windows\\x.ico',
    'file:///srv/x.mp4',
    '../x.png',
    '../../../root/x.mov',
    'files/../../x.png',
    '..\\x.jpeg',
    'im_abcdefgh.png/../x.png',
    '/api/file/../../x.png',
    '/api/file/a/x.png',
    '  /etc/x.png ',
    '/etc/x.png. .',
    '/etc/x.heic',
    '/etc/x.mkv',
    '/home/me/.face',
    '/proc/self/cwd/files/picture',
    '/Users/me/Library/Caches/0001',
    'C:\\Users\\me\\thumb',
    'file:///srv/picture',
    '~/.face',
    '../picture',
    'a/../../picture',
    '..\\picture',
  ])('is %s', (path) => {
    expect(isHostPath(path, '/api/file/')).toBe(true);
  });

  test.each([
    ['a name', 'im_abcdefgh.png'],
    ['a name in a folder', 'a/b.png'],
    ['a name in the folder itself', './b.png'],
    ['the URL of a file of the server', '/api/file/im_abcdefgh.png'],
    ['the URL of a file that the model made up', '/api/file/cat.png'],
    ['a whole URL', 'http://localhost:57988/api/file/im_abcdefgh.png'],
    ['an URL of elsewhere', 'https://example.com/a/b.png'],
    ['a prompt', 'draw a sign that says a/b.png'],
    ['a prompt that ends in a path', 'draw what is in /etc/x.png'],
    ['a prompt that begins with a stroke', '/imagine a cat'],
    ['dots in prose', 'wait ... /x.png'],
    ['a path of no image', '/about/team'],
    ['a prompt that begins with a folder of hosts', '/home is where the heart is'],
    ['dots that climb nowhere', 'wait../ and see'],
    ['a share of a page', '16:9'],
    ['an inline image', 'data:image/png;base64,/9j/4AAQ'],
    ['an ending alone', '.png'],
    ['nothing', ''],
  ])('is not %s', (_, text) => {
    expect(isHostPath(text, '/api/file/')).toBe(false);
  });

  test('is not what the server has below an URL that hosts have as a folder', () => {
    expect(isHostPath('/media/im_abcdefgh.png', '/media/')).toBe(false);
    expect(isHostPath('/media/x/im_abcdefgh.png', '/media/')).toBe(true);
  });

  test('is what is below an URL for a kind that has none', () => {
    expect(isHostPath('/api/file/im_abcdefgh.png', undefined)).toBe(true);
  });
});
