/** Prints a token of the demonstration's issuer. */
import { parseArgs } from 'node:util';
import { DURATION, durationMillis } from '../src/policy/amounts.ts';
import { openDemoIssuer } from './issuer.ts';

const USAGE = 'usage: npm run --silent token -- USER [--role ROLE]... [--expires 1h] [--data data/demo] [--json]';

const options = readOptions();
try {
  const issuer = await openDemoIssuer(options.data);
  const issuedAtMillis = Date.now();
  const { user, roles, expiresInSeconds } = options;
  const token = await issuer.issueToken({ user, roles, expiresInSeconds, issuedAtMillis });
  const expiresAt = new Date(issuedAtMillis + expiresInSeconds * 1000).toISOString();
  console.log(options.json ? JSON.stringify({ token, user, roles, expiresAt }) : token);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        role: { type: 'string', multiple: true, default: [] },
        expires: { type: 'string', default: '1h' },
        data: { type: 'string', default: 'data/demo' },
        json: { type: 'boolean', default: false },
      },
    });
    const [user, ...rest] = positionals;
    if (user === undefined || rest.length > 0) throw new TypeError('Exactly one USER is needed.');
    if (!/^[A-Za-z0-9._@+-]{1,128}$/.test(user)) throw new TypeError(`USER is not acceptable: ${JSON.stringify(user)}`);
    return {
      user,
      roles: values.role,
      expiresInSeconds: seconds(values.expires),
      data: values.data,
      json: values.json,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

function seconds(span: string): number {
  if (!DURATION.test(span) || durationMillis(span) < 1000) {
    throw new TypeError(
      `--expires is not acceptable: ${JSON.stringify(span)}. Expected a span such as 30s, 5m, 1h or 7d.`,
    );
  }
  return Math.floor(durationMillis(span) / 1000);
}
