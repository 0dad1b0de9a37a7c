/**
 * A host of the same site plants a cookie that browsers do not take for one with a prefix, because a byte stands before its
 * name that is no blank to them. Nobody may take it for the session's, or for a login's.
 */
import { once } from 'node:events';
import { createServer as httpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { cookieIn, SESSION_COOKIE } from '../../src/model/cookie.ts';
import { onPath } from '../support/browser.ts';

const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;

/** Written by hand: the byte would not be left alone by a library. */
const planter = () =>
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const head = `HTTP/1.1 200 OK\r\nset-cookie: \u00a0${SESSION_COOKIE}=PLANTED; Domain=example.test; Path=/`;
      socket.end(
        Buffer.from(`${head}\r\ncontent-type: text/html\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi`, 'latin1'),
      );
    });
  });

test('a real browser sends such a cookie, and it is none of ours', async () => {
  const shown: string[] = [];
  const target = httpServer(({ headers }, response) => {
    shown.push(headers.cookie ?? '');
    response.end('<!doctype html>');
  });
  const sibling = planter();
  const browser = await chromium.launch({
    executablePath: onPath('chromium'),
    args: ['--disable-gpu', '--host-resolver-rules=MAP *.example.test 127.0.0.1'],
    chromiumSandbox: false,
  });
  try {
    await Promise.all([target, sibling].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
    const page = await browser.newPage();
    await page.goto(`http://evil.example.test:${portOf(sibling)}/`);
    await page.goto(`http://gateway.example.test:${portOf(target)}/`);
    expect(shown[0]).toContain(`${SESSION_COOKIE}=PLANTED`);
    expect(cookieIn(shown[0], SESSION_COOKIE)).toBeUndefined();
  } finally {
    await browser.close();
    target.closeAllConnections();
    target.close();
    sibling.close();
  }
});
