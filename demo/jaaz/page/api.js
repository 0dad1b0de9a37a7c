/** Calls as the product's own page makes them: relative, and with nothing but the browser's cookies. */

class Refusal extends Error {
  constructor(status, title, detail) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

async function call(path, init = {}) {
  const response = await fetch(path, { ...init, cache: 'no-store' });
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}

/** Resolves with the JSON of an answer; rejects with a Refusal. */
export const read = (path) => call(path, { headers: { Accept: 'application/json' } });

/** Sends JSON; resolves and rejects as `read` does. */
export const send = (path, body) =>
  call(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/** The gateway answers with problem+json (title, detail), the upstream with {detail} or plain text. */
async function refusalOf(response) {
  const fallback = `${response.status} ${response.statusText}`.trim();
  const wait = response.headers.get('retry-after');
  const hint = wait === null ? '' : ` Try again in ${wait} s.`;
  try {
    const problem = await response.json();
    const detail = typeof problem.detail === 'string' ? problem.detail : 'The server refused the request.';
    return new Refusal(
      response.status,
      problem.title ? `${response.status} ${problem.title}` : fallback,
      detail + hint,
    );
  } catch {
    return new Refusal(response.status, fallback, `The server refused the request.${hint}`);
  }
}
