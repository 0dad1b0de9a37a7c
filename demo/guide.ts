/** What the demonstration prints when it runs: where everything is, who may try it, and commands to paste. */
import { randomBytes } from 'node:crypto';
import { relative } from 'node:path';

export interface Guide {
  readonly url: string;
  readonly adminUrl: string;
  readonly providerUrl: string;
  readonly upstreamUrl: string;
  /** Whether the server behind is our stand-in. */
  readonly standIn: boolean;
  readonly dataDir: string;
  readonly tokens: { readonly alice: string; readonly bob: string };
  readonly tokensLast: string;
}

/** Returns where a browser begins. */
export const pageUrl = ({ url }: Guide): string => `${url}/`;

/** Returns the text, ready to print. */
export function guideText(guide: Guide): string {
  const { url, adminUrl, providerUrl, upstreamUrl, standIn, tokens } = guide;
  const near = relative('.', guide.dataDir);
  const data = near === '' || near.startsWith('..') ? guide.dataDir : near;
  return `
Open ${pageUrl(guide)} and log in as alice or bob. There are no passwords.

To see both, log in as alice in one window and as bob in a private one: each has canvases, pictures and live events of its
own. A third account, admin, has the role of that name.

  gateway   ${url}
  admin     ${adminUrl}   (/livez /readyz /metrics /policy)
  provider  ${providerUrl}   (a real one, without passwords)
  upstream  ${upstreamUrl}${standIn ? '   (a stand-in for Jaaz)' : ''}
  data      ${data}   (gateway.yaml, audit.ndjson, gateway.log)

Programs show tokens. These are of the same two users and hold for ${guide.tokensLast}; paste both lines into a shell:

export ALICE=${tokens.alice}
export BOB=${tokens.bob}

${commands(url, data)}
More users:  npm run --silent token -- carol --role admin --expires 1h${data === 'data/demo' ? '' : ` --data ${data}`}

Ctrl-C ends it.
`;
}

function commands(url: string, data: string): string {
  // A new name each time, because an id that was used once is never free again.
  const name = `canvas-${randomBytes(3).toString('hex')}`;
  const body = JSON.stringify({
    canvas_id: name,
    session_id: `${name}-chat`,
    name: 'A cat',
    messages: [{ role: 'user', content: 'Draw a cat' }],
    text_model: { provider: 'openai', model: 'gpt-4o', url: '' },
    tool_list: [],
  });
  // No quotation marks in the comments: not every interactive shell knows comments.
  return `# 1. alice creates a canvas
curl -s ${url}/api/canvas/create -H "authorization: Bearer $ALICE" -H 'content-type: application/json' \\
  -d '${body}'; echo

# 2. alice lists hers: there it is
curl -s ${url}/api/canvas/list -H "authorization: Bearer $ALICE"; echo

# 3. bob lists his: it is not there
curl -s ${url}/api/canvas/list -H "authorization: Bearer $BOB"; echo

# 4. bob asks for it by name: null, as if there were none
curl -s ${url}/api/canvas/${name} -H "authorization: Bearer $BOB"; echo

# 5. bob tries to delete it: refused
curl -s -X DELETE ${url}/api/canvas/${name}/delete -H "authorization: Bearer $BOB"; echo

# 6. nobody gets in with neither token nor login
curl -s ${url}/api/canvas/list; echo

# 7. every decision is on record
tail -n 6 '${data}/audit.ndjson'
`;
}
