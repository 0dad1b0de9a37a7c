/**
 * An OpenID provider that is asked and does not answer: each code is exchanged only after the time that is given. It says
 * at /waiting how many wait. Arguments: port, seconds.
 */
import { createServer } from 'node:http';

const [port, seconds] = process.argv.slice(2).map(Number);
if (port === undefined || seconds === undefined) throw new TypeError('arguments: port, seconds');
const issuer = `http://127.0.0.1:${port}`;

const METADATA = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  code_challenge_methods_supported: ['S256'],
};

let waiting = 0;

createServer((request, response) => {
  const answer = (body: object): void => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  };
  if (request.url === '/.well-known/openid-configuration') answer(METADATA);
  else if (request.url === '/keys') answer({ keys: [] });
  else if (request.url === '/waiting') answer({ waiting });
  else {
    waiting += 1;
    const timer = setTimeout(() => answer({ error: 'invalid_grant' }), seconds * 1000);
    response.on('close', () => {
      waiting -= 1;
      clearTimeout(timer);
    });
  }
}).listen(port, '127.0.0.1');
