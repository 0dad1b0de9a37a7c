/** Headers that belong to one connection and never cross the gateway (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set([
  'close',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What `Connection` usually says: of the connection itself; headers of these names do not cross anyway. */
const ITSELF: ReadonlySet<string | readonly string[]> = new Set(['keep-alive', 'close', 'Keep-Alive', 'Close']);

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Returns the headers, or a copy without those of the connection, and without those that `Connection` names. */
export const withoutHopByHop = (headers: Readonly<Record<string, string | string[] | undefined>>): Headers => {
  if (!hasHopByHop(headers)) return headers as Headers;
  const { connection } = headers;
  const named = connection === undefined || ITSELF.has(connection) ? undefined : listed(connection);
  const kept: Record<string, string | readonly string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || HOP_BY_HOP.has(name) || named?.has(name)) continue;
    kept[name] = value;
  }
  return kept;
};

/** Most answers have none, and then nothing is copied. */
const hasHopByHop = (headers: Readonly<Record<string, unknown>>): boolean => {
  for (const name in headers) if (HOP_BY_HOP.has(name) || headers[name] === undefined) return true;
  return false;
};

const listed = (value: string | readonly string[]): ReadonlySet<string> =>
  new Set(
    String(value)
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
