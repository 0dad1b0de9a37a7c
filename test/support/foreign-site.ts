/** A site of somebody else, and what its pages try to do in the name of whoever visits them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';

export interface ForeignSite {
  /** The same site to a browser, because it does not look at ports, but another origin: cookies come along. */
  readonly sibling: string;
  /** Another site: `SameSite=Lax` keeps cookies back from all but navigations. */
  readonly stranger: string;
  close(): void;
}

/** Starts it; every page of it is empty. */
export const startForeignSite = async (): Promise<ForeignSite> => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>Elsewhere</title>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    sibling: `http://127.0.0.1:${port}`,
    stranger: `http://localhost:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** What came of the attempts, as far as the foreign page itself can see it. */
export interface Attempted {
  readonly read: string;
  readonly deleted: string;
  readonly pictureWidth: number;
  readonly socket: string;
  readonly framed: boolean;
}

const body = (id: string): string =>
  JSON.stringify({ canvas_id: id, session_id: `${id}-chat`, name: 'forged', messages: [] });

/** A form of the type text/plain is the only one that can be made to look like JSON: name, equals sign, value. */
const formParts = (id: string): readonly [name: string, value: string] => {
  const [name = '', value = ''] = body(id).split('forged"');
  return [`${name}`, `forged"${value}`];
};

/**
 * Tries everything from the page that is open: writes (as `<mark>-form` and `<mark>-fetch`), reads, deletes `victim`, shows
 * `picture`, connects a socket, and frames the target.
 */
export const attempt = async (page: Page, target: string, tries: Tries): Promise<Attempted> => {
  const { mark, victim, picture } = tries;
  const [name, value] = formParts(`${mark}-form`);
  const found = await page.evaluate(`(async (target, given) => {
    const told = (promise) => promise.then((response) => String(response.status), (error) => error.name);
    const append = (tag, fields) => document.body.appendChild(Object.assign(document.createElement(tag), fields));
    const loaded = (element) => new Promise((done) => { element.onload = element.onerror = done; });

    const sink = append('iframe', { name: 'sink' });
    const form = append('form', { method: 'post', enctype: 'text/plain', target: 'sink', action: target + '/api/canvas/create' });
    form.append(Object.assign(document.createElement('input'), { name: given.name, value: given.value }));
    const sent = loaded(sink);
    form.submit();
    await sent;

    const options = { method: 'POST', mode: 'no-cors', credentials: 'include', body: given.body };
    await told(fetch(target + '/api/canvas/create', options));
    const read = await told(fetch(target + '/api/canvas/list', { credentials: 'include' }));
    const deleted = await told(fetch(target + '/api/canvas/' + given.victim + '/delete', { method: 'DELETE', credentials: 'include' }));

    const image = new Image();
    const shown = loaded(image);
    image.src = target + given.picture;
    await shown;

    const socket = await new Promise((done) => {
      const one = new WebSocket(target.replace('http', 'ws') + '/socket.io/?EIO=4&transport=websocket');
      one.onopen = () => done('open');
      one.onclose = () => done('closed');
    });
    const frame = append('iframe', { name: 'framed' });
    const framed = loaded(frame);
    frame.src = target + '/auth/logout';
    await framed;
    return { read, deleted, pictureWidth: image.naturalWidth, socket };
  })(${JSON.stringify(target)}, ${JSON.stringify({ name, value, body: body(`${mark}-fetch`), victim, picture })})`);
  const framed = page.frame('framed')?.url().startsWith(target) ?? false;
  return { ...(found as Omit<Attempted, 'framed'>), framed };
};

export interface Tries {
  readonly mark: string;
  /** The id of a canvas. */
  readonly victim: string;
  /** The path of a picture. */
  readonly picture: string;
}

/** Sends a form from the page that is open to an address, as the whole window; resolves with the status. */
export const submitTo = async (page: Page, address: string): Promise<number> => {
  const answered = page.waitForResponse((response) => response.url() === address);
  await page.evaluate(`(() => {
    const form = document.body.appendChild(document.createElement('form'));
    form.method = 'post';
    form.action = ${JSON.stringify(address)};
    // After this has returned: what runs in a page that is left may never be answered.
    setTimeout(() => form.submit());
  })()`);
  return (await answered).status();
};
