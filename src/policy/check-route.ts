/** What is wrong with a route although each of its words is right: parts that contradict one another, or lead nowhere. */
import type { ResourceUse } from '../model/route.ts';
import { addFault, type RouteContext } from './scope.ts';

/** Adds a fault for each contradiction. `uses` are the resources that the route names, compiled. */
export const checkRoute = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  checkAccess(context, uses);
  checkToken(context);
  checkShared(context, uses);
  checkLimits(context);
  checkRun(context, uses);
  checkHidden(context, uses);
  checkReferences(context);
  checkHeaders(context);
};

const checkAccess = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  const { access, roles, when, filter, body, run, match } = context.written;
  if (access === 'user') return;
  const judged = uses.length > 0 || filter !== undefined || body?.references !== undefined || run !== undefined;
  if (access === 'public' && judged) {
    const message = 'a public route knows no user, so it cannot name or show what is owned';
    addFault(context, { message, found: 'public' }, ['access']);
  }
  if (access === 'page') {
    if (judged || body !== undefined) {
      const message =
        'a page knows no user where nobody can log in, so it takes nothing and shows nothing that is owned';
      addFault(context, { message, found: 'page' }, ['access']);
    }
    if (!match.startsWith('GET ')) {
      addFault(context, { message: 'a page is opened, and not sent anything', found: match, expected: 'GET' }, [
        'match',
      ]);
    }
  }
  if (roles !== undefined) addFault(context, { message: `a ${access} route asks for no role` }, ['roles']);
  if (access === 'denied' && when !== undefined) {
    addFault(context, { message: 'a denied route is refused without a condition' }, ['when']);
  }
};

export const NO_REFERRER = 'no-referrer';

/** An address is kept in histories and in the logs of others: what may hold a token there is passed on by nobody. */
const checkToken = (context: RouteContext): void => {
  const { token, access, query, headers } = context.written;
  if (!token.includes('header')) {
    const message = 'a token may always stand in the header';
    addFault(context, { message, found: token.join(', '), expected: '[header, query]' }, ['token']);
  }
  if (!token.includes('query')) return;
  if (access === 'public' || access === 'denied') {
    addFault(context, { message: `a ${access} route looks at no token`, found: 'query' }, ['token']);
  }
  if (query.includes('token')) {
    const message = 'the token would be forwarded, because it is a parameter of this name';
    addFault(context, { message, found: 'token', expected: 'other names' }, ['query', query.indexOf('token')]);
  }
  const referrer = headers?.['referrer-policy'];
  if (referrer !== undefined && referrer !== NO_REFERRER) {
    const message = 'an address that may hold a token is told to no other site';
    addFault(context, { message, found: referrer, expected: NO_REFERRER }, ['headers', 'referrer-policy']);
  }
};

const checkShared = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  const { shared, access, filter, body } = context.written;
  if (!shared) return;
  const judged = uses.length > 0 || (filter?.keep ?? filter?.learn ?? body?.references) !== undefined;
  if (access === 'user' && !judged) return;
  const found = judged ? 'a resource' : access;
  const message = 'what is the same for all users is for users, and names and shows nothing that is owned';
  addFault(context, { message, found }, ['shared']);
};

/** A token is refused before the route's own limits are reached, and by then it is nobody's. */
const checkLimits = (context: RouteContext): void => {
  for (const [index, name] of context.written.limits.entries()) {
    if (context.scope.rates.get(name)?.onFailedAuthentication !== true) continue;
    const message = 'failed authentications are counted on every route, not on one';
    addFault(context, { message, found: name, expected: 'it in everywhere alone' }, ['limits', index]);
  }
};

/** The events of a run come under its id. If that could be another's, its end would be theirs to hear and to cause. */
const checkRun = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  const { run, body } = context.written;
  if (run === undefined || body?.json === undefined) return;
  const fields = uses.flatMap(({ at }) => (at.in === 'body' ? [at.text] : []));
  if (fields.includes(run.session)) return;
  const [only = `body: { claim: { KIND: ${run.session} } }`, ...more] = fields;
  const expected = more.length === 0 ? only : `one of ${fields.join(', ')}`;
  const message = 'a run is named by an id that the route checks';
  addFault(context, { message, found: run.session, expected }, ['run', 'session']);
};

const checkHidden = (context: RouteContext, uses: readonly ResourceUse[]): void => {
  if (context.written.hidden === undefined || uses.length > 0) return;
  const message = 'nothing can be hidden: the route names no resource';
  addFault(context, { message, expected: '{KIND} in its path, or an id in its body' }, ['hidden']);
};

const checkReferences = (context: RouteContext): void => {
  const { body } = context.written;
  if (body?.references === undefined || body.json !== undefined) return;
  const words = { message: 'texts are searched in a JSON body', found: body.references, expected: 'json: SIZE' };
  addFault(context, words, ['body', 'references']);
};

/** They frame the answer, describe its bytes, or are the gateway's own words; twice or wrong they make two readings. */
const NOT_THE_POLICYS = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer', 'te'],
  ...['content-length', 'content-type', 'content-encoding', 'set-cookie', 'date', 'host', 'www-authenticate'],
  ...['x-request-id', 'x-content-type-options', 'ratelimit', 'ratelimit-policy', 'retry-after'],
]);

const checkHeaders = (context: RouteContext): void => {
  for (const name of Object.keys(context.written.headers ?? {})) {
    if (!NOT_THE_POLICYS.has(name)) continue;
    const message = 'this header is not the policy’s to set';
    addFault(context, { message, found: name, expected: 'another header', at: 'key' }, ['headers', name]);
  }
};
