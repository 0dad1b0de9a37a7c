/** The contender http-proxy: forwards everything over kept-alive connections, knows nobody. Arguments: port, upstream. */
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port, target] = process.argv.slice(2);
if (target === undefined) throw new TypeError('arguments: port, upstream');

const proxy = httpProxy.createProxyServer({ target, agent: new Agent({ keepAlive: true }) });
proxy.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
});

const server = createServer((request, response) => proxy.web(request, response));
server.keepAliveTimeout = 120_000;
server.listen(Number(port), '127.0.0.1');
