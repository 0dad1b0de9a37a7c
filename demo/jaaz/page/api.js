/** Calls with one user's token, and refusals turned into words. */

class Refusal extends Error {
  constructor(title, detail) {
    super(detail);
    this.title = title;
  }
}

/** Returns the three ways in which the page talks to the server; each rejects with a Refusal. */
export function openApi(token) {
  async function call(path, init = {}) {
    const bearer = token();
    const authorization = bearer === '' ? {} : { Authorization: `Bearer ${bearer}` };
    const response = await fetch(path, { ...init, headers: { ...init.headers, ...authorization }, cache: 'no-store' });
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  return {
    json: async (path) => (await call(path)).json(),
    blob: async (path) => (await call(path)).blob(),
    post: async (path, body) =>
      (
        await call(path, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        })
      ).json(),
  };
}

/** The gateway answers with problem+json (title, detail), the upstream with {detail} or plain text. */
async function refusalOf(response) {
  const fallback = `${response.status} ${response.statusText}`.trim();
  const wait = response.headers.get('retry-after');
  const hint = wait === null ? '' : ` Try again in ${wait} s.`;
  try {
    const problem = await response.json();
    const detail = typeof problem.detail === 'string' ? problem.detail : 'The server refused the request.';
    return new Refusal(problem.title ? `${response.status} ${problem.title}` : fallback, detail + hint);
  } catch {
    return new Refusal(fallback, `The server refused the request.${hint}`);
  }
}
