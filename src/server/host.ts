/** Which Host headers are served: a poisoned one must not reach URLs, routing or anybody's cache (Starlette CVE-2026-48710). */
import { Rejection } from '../model/rejection.ts';

/**
 * Returns a check that throws `host-invalid` unless it is given one well-formed host, and `host-unknown` when it is not
 * on the list. A host that is listed without a port is served on every port. Throws a TypeError for a malformed list.
 */
export function hostChecker(hosts: readonly string[] | undefined): (host: string | undefined) => void {
  const known = hosts === undefined ? undefined : new Set(hosts.map((host) => host.toLowerCase()));
  for (const host of known ?? []) if (!isHost(host)) throw new TypeError(`not a host: ${host}`);

  return function checkHost(host) {
    if (host === undefined || !isHost(host)) throw new Rejection('host-invalid', 'missing or malformed');
    if (known === undefined) return;
    const name = host.toLowerCase();
    if (!known.has(name) && !known.has(name.replace(port, ''))) throw new Rejection('host-unknown', 'not on the list');
  };
}

const port = /:[0-9]{1,5}$/;
const hostForm = /^(?:[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?$/i;

function isHost(host: string): boolean {
  const found = hostForm.exec(host);
  return found !== null && !host.includes('..') && (found[1] === undefined || Number(found[1]) <= 65_535);
}
