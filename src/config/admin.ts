/** Where the admin side of a running gateway is, and the token that it asks for. */
import { dirname, join, resolve } from 'node:path';
import { readDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import { readOverrides } from './environment.ts';
import type { LoadOptions } from './load.ts';
import { checkGatewayFile } from './schema.ts';

export interface AdminPlace {
  readonly url: string;
  readonly tokenFile: string;
}

/**
 * Returns the place, or the faults in the form of the file. Secrets, keys and policies may be missing: the process that
 * runs has its own, and a policy that is broken is the very reason to ask.
 */
export function adminPlace({
  file,
  flags,
  variables,
}: LoadOptions): AdminPlace | { readonly faults: readonly Fault[] } {
  const read = readDocument(file);
  if ('faults' in read) return read;
  const checked = checkGatewayFile(read.document);
  const environment = readOverrides(variables);
  if ('faults' in checked) return checked;
  if (environment.faults.length > 0) return { faults: environment.faults };
  const { admin, ledger } = checked.value;
  const port = flags?.adminPort ?? environment.overrides.adminPort ?? admin.port;
  return {
    url: urlOf({ address: admin.host, port }),
    tokenFile: adminTokenFile(resolve(dirname(resolve(file)), ledger.sqlite)),
  };
}

/** Returns where the token is: beside the ledger, which the same process writes and nobody else may read. */
export const adminTokenFile = (ledger: string): string => join(dirname(ledger), 'admin.token');

/** Returns the URL at which a listener is reached from this machine. */
export function urlOf({ address, port }: { readonly address: string; readonly port: number }): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
