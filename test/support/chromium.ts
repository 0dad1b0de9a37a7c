/** Debian's Chromium, headless, on a page that reports what it found by one POST to where it came from. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const QUIET = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-default-browser-check'],
];

/** Opens a page; the browser and its profile are gone after `stop`. */
export const openChromium = (url: string) => {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const args = [...QUIET, `--user-data-dir=${profile}`, '--remote-debugging-port=0', url];
  // A group of its own: a browser is many processes.
  const child: ChildProcess = spawn('chromium', args, { stdio: 'ignore', detached: true });
  return {
    async stop(): Promise<void> {
      const { pid } = child;
      if (pid !== undefined && child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        process.kill(-pid, 'SIGKILL');
        await gone;
      }
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
};

export interface Page {
  readonly type: string;
  readonly text: string;
}

/** One origin for pages and gateway: serves these paths itself, and passes everything else on, upgrades too. */
export const onePlace = async (gatewayUrl: string, pages: ReadonlyMap<string, Page>) => {
  const { hostname, port } = new URL(gatewayUrl);
  const report = Promise.withResolvers<unknown>();
  const open = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    const page = pages.get(incoming.url ?? '');
    if (page !== undefined) outgoing.writeHead(200, { 'content-type': page.type }).end(page.text);
    else if (incoming.url === '/report') void readReport(incoming, outgoing).then(report.resolve, report.reject);
    else passOn(incoming, outgoing, { hostname, port });
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.on('upgrade', ({ method, url, rawHeaders }: IncomingMessage, socket: Socket, head: Buffer) => {
    const onward = connect(Number(port), hostname, () => {
      const lines = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      onward.write(`${method} ${url} HTTP/1.1\r\n${lines}\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    const end = (): void => {
      socket.destroy();
      onward.destroy();
    };
    for (const one of [socket, onward]) one.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What the page found. */
    report: report.promise,
    stop(): void {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
};

const readReport = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<unknown> => {
  const text = (await incoming.toArray()).join('');
  outgoing.end();
  return JSON.parse(text);
};

const passOn = (incoming: IncomingMessage, outgoing: ServerResponse, to: { hostname: string; port: string }): void => {
  const { method, url: path, headers } = incoming;
  const onward = httpRequest({ ...to, method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
};
