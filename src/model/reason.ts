/**
 * Every refusal there is: its stage, its status and the one sentence that the client is told. The codes are stable: they
 * are the problem document's `code`, the metric's label and the audit record's `reason`.
 */
interface Reason {
  readonly stage: Stage;
  readonly status: number;
  readonly message: string;
  /** The code that the client is told, where this one would say too much. */
  readonly shownAs?: string;
}

/** In the order of a request's life; the last is an event's. */
export const STAGES = [
  'canonical',
  'match',
  'authenticate',
  'limit',
  'read',
  'authorize',
  'rewrite',
  'forward',
  'filter',
  'respond',
  'event',
] as const;

export type Stage = (typeof STAGES)[number];

const tokenInvalid = { stage: 'authenticate', status: 401, message: 'The access token is not valid.' } as const;
/** Foreign, deleted and quarantined look the same: which it is, is another's affair. */
const idUnavailable = {
  stage: 'authorize',
  status: 409,
  message: 'This id cannot be used. Choose another.',
  shownAs: 'resource-taken',
} as const;

const table = {
  // canonical
  'target-invalid': { stage: 'canonical', status: 400, message: 'The request target is not acceptable.' },
  'target-too-long': { stage: 'canonical', status: 414, message: 'The request target is too long.' },
  'query-invalid': { stage: 'canonical', status: 400, message: 'The query is ambiguous or malformed.' },
  'header-invalid': { stage: 'canonical', status: 400, message: 'A header is ambiguous or malformed.' },
  'host-invalid': { stage: 'canonical', status: 400, message: 'Exactly one valid Host header is needed.' },
  'host-unknown': { stage: 'canonical', status: 421, message: 'This host is not served here.' },
  'expectation-unsupported': { stage: 'canonical', status: 417, message: 'The Expect header is not supported.' },
  'request-malformed': { stage: 'canonical', status: 400, message: 'The request could not be read.' },
  // match
  'route-unknown': { stage: 'match', status: 404, message: 'There is nothing here.' },
  'route-denied': { stage: 'match', status: 403, message: 'This operation is not available.' },
  // authenticate
  'token-missing': { stage: 'authenticate', status: 401, message: 'An access token is needed.' },
  'token-malformed': tokenInvalid,
  'token-too-large': tokenInvalid,
  'token-algorithm': tokenInvalid,
  'token-header': tokenInvalid,
  'token-key-unknown': tokenInvalid,
  'token-key-weak': tokenInvalid,
  'token-signature': tokenInvalid,
  'token-type': tokenInvalid,
  'token-issuer': tokenInvalid,
  'token-audience': tokenInvalid,
  'token-claims': tokenInvalid,
  'token-not-yet-valid': tokenInvalid,
  'token-expired': { stage: 'authenticate', status: 401, message: 'The access token has expired.' },
  'token-revoked': tokenInvalid,
  'keys-unavailable': {
    stage: 'authenticate',
    status: 503,
    message: 'Tokens cannot be verified at the moment. Try again later.',
  },
  'revocations-unavailable': {
    stage: 'authenticate',
    status: 503,
    message: 'Revocations cannot be recorded at the moment. Try again later.',
  },
  // A page that is opened without a session: the browser is sent to log in.
  'login-needed': { stage: 'authenticate', status: 303, message: 'Log in to see this page.' },
  'session-ended': { stage: 'authenticate', status: 401, message: 'The session has ended. Log in again.' },
  'credentials-differ': {
    stage: 'authenticate',
    status: 400,
    message: 'The request shows credentials of two different users.',
  },
  'site-foreign': {
    stage: 'authenticate',
    status: 403,
    message: 'A page of another site may not do this in your name.',
  },
  'sessions-unavailable': {
    stage: 'authenticate',
    status: 503,
    message: 'Sessions cannot be read at the moment. Try again later.',
  },
  'provider-unavailable': {
    stage: 'authenticate',
    status: 503,
    message: 'The login service cannot be reached at the moment. Try again later.',
  },
  'introspection-unavailable': {
    stage: 'authenticate',
    status: 503,
    message: 'Tokens cannot be checked at the moment. Try again later.',
  },
  // Of the callback: expired, opened in another browser, used before and forged look the same.
  'login-failed': { stage: 'authenticate', status: 400, message: 'The login could not be completed. Start again.' },
  'login-denied': { stage: 'authenticate', status: 403, message: 'The login service did not let you in.' },
  'provider-unknown': { stage: 'authenticate', status: 404, message: 'There is no login service of this name.' },
  'logout-token-invalid': { stage: 'authenticate', status: 400, message: 'The logout token is not valid.' },
  'token-inactive': tokenInvalid,
  'tenant-refused': { stage: 'authenticate', status: 403, message: 'Your organisation has no access here.' },
  'key-unknown': { stage: 'read', status: 404, message: 'There is no API key of this id.' },
  'api-keys-full': { stage: 'read', status: 409, message: 'There are too many API keys. Revoke some first.' },
  'api-keys-unavailable': {
    stage: 'authenticate',
    status: 503,
    message: 'API keys cannot be changed at the moment. Try again later.',
  },
  'issuer-unknown': { stage: 'read', status: 400, message: 'There is no issuer of this name.' },
  'role-missing': { stage: 'authenticate', status: 403, message: 'Your role does not allow this operation.' },
  // limit
  'rate-limited': { stage: 'limit', status: 429, message: 'Too many requests. Wait, then try again.' },
  'runs-limited': { stage: 'limit', status: 429, message: 'Too many runs at once. Wait for one to end.' },
  'open-limited': { stage: 'limit', status: 429, message: 'Too many requests at once. Wait for one to end.' },
  'bodies-limited': { stage: 'limit', status: 429, message: 'Too much is being sent at once. Wait, then try again.' },
  'sockets-limited': { stage: 'limit', status: 429, message: 'Too many connections are open.' },
  'failures-limited': { stage: 'limit', status: 429, message: 'Too many failed attempts. Wait, then try again.' },
  // read
  'body-unexpected': { stage: 'read', status: 400, message: 'This operation takes no body.' },
  'body-missing': { stage: 'read', status: 400, message: 'This operation needs a body.' },
  'body-type': { stage: 'read', status: 415, message: 'The body is of a type that this operation does not take.' },
  'body-encoding': { stage: 'read', status: 415, message: 'An encoded body is not accepted.' },
  'body-too-large': { stage: 'read', status: 413, message: 'The body is too large.' },
  'body-incomplete': { stage: 'read', status: 400, message: 'The body ended too early.' },
  'body-malformed': { stage: 'read', status: 400, message: 'The body is malformed.' },
  'body-duplicate-key': { stage: 'read', status: 400, message: 'The body names a key twice.' },
  'body-too-deep': { stage: 'read', status: 400, message: 'The body is nested too deeply.' },
  'body-number': { stage: 'read', status: 400, message: 'The body holds a number that cannot be represented.' },
  'body-unfit': { stage: 'read', status: 400, message: 'The body is not of the form that this operation takes.' },
  'multipart-malformed': { stage: 'read', status: 400, message: 'The form is malformed.' },
  // authorize
  'condition-unmet': { stage: 'authorize', status: 403, message: 'This operation is not available in this way.' },
  'id-invalid': { stage: 'authorize', status: 400, message: 'An id is missing or malformed.' },
  'resource-hidden': { stage: 'authorize', status: 404, message: 'There is nothing here.' },
  'resource-taken': idUnavailable,
  'resource-deleted': idUnavailable,
  'resource-quarantined': idUnavailable,
  // Unknown, answered already, named twice and another's look the same.
  'call-not-pending': { stage: 'authorize', status: 409, message: 'Nothing waits for this answer.' },
  'reference-foreign': { stage: 'authorize', status: 403, message: 'The body names something that is not yours.' },
  'ledger-unavailable': {
    stage: 'authorize',
    status: 503,
    message: 'Ownership cannot be checked at the moment. Try again later.',
  },
  'probe-failed': { stage: 'authorize', status: 502, message: 'The id could not be checked. Try again later.' },
  // rewrite
  'catalogue-unknown': { stage: 'rewrite', status: 400, message: 'The body names a choice that is not offered.' },
  'catalogue-unavailable': {
    stage: 'rewrite',
    status: 502,
    message: 'The choices could not be read. Try again later.',
  },
  'image-not-inline': { stage: 'rewrite', status: 400, message: 'Images must be given inline, as data URLs.' },
  'field-invalid': { stage: 'rewrite', status: 400, message: 'A field of the body is not of the expected form.' },
  'path-invalid': { stage: 'rewrite', status: 400, message: 'A path is not of the form that is taken here.' },
  // forward
  'upstream-unreachable': {
    stage: 'forward',
    status: 502,
    message: 'The server behind the gateway cannot be reached.',
  },
  'upstream-timeout': {
    stage: 'forward',
    status: 504,
    message: 'The server behind the gateway did not answer in time.',
  },
  'upstream-broken': { stage: 'forward', status: 502, message: 'The server behind the gateway broke off.' },
  'upstream-resting': {
    stage: 'forward',
    status: 502,
    message: 'The server behind the gateway is not available. Try again later.',
  },
  'upstream-denied': {
    stage: 'forward',
    status: 403,
    message: 'The server behind the gateway does not accept this connection.',
  },
  'upstream-busy': {
    stage: 'forward',
    status: 503,
    message: 'The server behind the gateway takes no connection at the moment. Try again later.',
  },
  // filter
  'answer-unreadable': { stage: 'filter', status: 502, message: 'The answer could not be read, so it is not shown.' },
  'answer-too-large': { stage: 'filter', status: 502, message: 'The answer is too large to be checked.' },
  'learn-conflict': { stage: 'filter', status: 502, message: 'The answer names something that is not yours.' },
  // respond
  'client-gone': { stage: 'respond', status: 499, message: 'The client closed the connection.' },
  'shutting-down': { stage: 'respond', status: 503, message: 'The gateway is being restarted. Try again.' },
  'internal-error': { stage: 'respond', status: 500, message: 'Something went wrong here.' },
  // event: what a client may not do on a socket
  'event-refused': { stage: 'event', status: 403, message: 'This event is not accepted.' },
  // Foreign, closed and never known look the same: which it is, is another's affair.
  'session-unknown': { stage: 'event', status: 400, message: 'This session is not known.' },
  'session-busy': { stage: 'event', status: 400, message: 'This session is in use by another request.' },
  'packet-invalid': { stage: 'event', status: 400, message: 'The packet is malformed.' },
  'receiver-slow': { stage: 'event', status: 408, message: 'The connection does not read what it is sent.' },
  'connection-idle': { stage: 'event', status: 408, message: 'Nothing was said on the connection for too long.' },
  'origin-refused': { stage: 'event', status: 403, message: 'This origin is not allowed.' },
  'event-disagrees': { stage: 'event', status: 403, message: 'The event names what is not all of one owner.' },
  'foreign-file-opened': {
    stage: 'event',
    status: 403,
    message: 'The run was stopped because it tried to open what is not yours.',
  },
  'run-unwatched': { stage: 'event', status: 503, message: 'The run was stopped because it could not be watched.' },
  'authority-expired': { stage: 'event', status: 401, message: 'The access token has expired.' },
  'token-other-owner': { stage: 'event', status: 403, message: 'The access token is of another user.' },
} as const satisfies Record<string, Reason>;

export type ReasonCode = keyof typeof table;

export const reasons: Readonly<Record<ReasonCode, Reason>> = table;
