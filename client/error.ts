/** What the gateway refuses, as an error that a program can read. */
import { retryAfterMillis } from './wait.ts';

interface Told {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId?: string | undefined;
  readonly retryAfterMillis?: number | undefined;
  readonly cause?: unknown;
}

/** A refusal: `code` is stable and says which, `status` is that of HTTP, also where a socket was refused. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  readonly code: string;
  /** Names the record of it in the gateway's audit. */
  readonly requestId: string | undefined;
  /** When it is worth another try, if anybody said so. */
  readonly retryAfterMillis: number | undefined;

  constructor({ message, status, code, requestId, retryAfterMillis, cause }: Told) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.retryAfterMillis = retryAfterMillis;
  }
}

/** Resolves with the error that an answer is, or with undefined for an answer that is no problem document. */
export const problemOf = async (response: Response): Promise<GatewayError | undefined> => {
  const { headers, status } = response;
  if (!/^application\/problem\+json\b/i.test(headers.get('content-type') ?? '')) return undefined;
  // The answer to HEAD has no body, and one that was cut has half of one.
  const document = await response.json().catch(() => undefined);
  const { code, detail, title, requestId } = (document ?? {}) as Readonly<Record<string, unknown>>;
  return new GatewayError({
    status,
    code: textOf(code) ?? 'unknown',
    message: textOf(detail) ?? textOf(title) ?? `status ${status}`,
    requestId: textOf(requestId) ?? headers.get('x-request-id') ?? undefined,
    retryAfterMillis: retryAfterMillis(headers),
  });
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** What a socket is told when it is refused: a code, and no status. */
export interface Refusal {
  readonly code?: unknown;
  readonly message?: string;
}

/** When a socket that was one too many tries again. */
const LIMITED_MILLIS = 5_000;

/** Returns the error that a refusal on a socket is; its status follows from the code. */
export const refusalOf = ({ code, message = 'refused' }: Refusal, cause?: unknown): GatewayError => {
  const text = String(code);
  const isLimit = text.endsWith('-limited');
  const isToken = /^(token|authority)-(?!other)/.test(text);
  const status = isLimit ? 429 : isToken ? 401 : 403;
  const retryAfterMillis = isLimit ? LIMITED_MILLIS : undefined;
  return new GatewayError({ status, code: text, message, retryAfterMillis, cause });
};

/** Returns the error for a token that could not be got. */
export const noToken = (cause: unknown): GatewayError =>
  new GatewayError({ status: 401, code: 'token-unavailable', message: 'No token could be got.', cause });
