/** Owners as they are written on a command line and in files: `ISSUER|USER`, and lists of what each is to be called. */
import { SERVICE_ALIAS } from '../authn/issuer.ts';
import type { OwnerChange } from '../model/owner-change.ts';

export const OWNER_FORM = 'ISSUER|USER, such as "corp|alice"';

/** What a claim can come to (authn/claims). */
const OWNER = /^[a-z0-9-]{1,32}\|[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u;

export const isOwner = (text: string): boolean => OWNER.test(text);

/** Returns what is wrong with a change by itself, undefined where nothing is. */
export const changeFault = ({ from, to }: OwnerChange): string | undefined => {
  const other = [from, to].find((owner) => !isOwner(owner));
  if (other !== undefined) return `${JSON.stringify(other)} is no owner: expected ${OWNER_FORM}`;
  return from === to ? `${JSON.stringify(from)} is called so already` : undefined;
};

/** Returns what is wrong with aliases of issuers, undefined where nothing is. */
export const issuerFault = ({ from, to }: OwnerChange): string | undefined => {
  const other = [from, to].find((alias) => !/^[a-z0-9-]{1,32}$/.test(alias));
  if (other !== undefined)
    return `${JSON.stringify(other)} is no name of an issuer: expected 1 to 32 of a-z, 0-9 and -`;
  if (from === SERVICE_ALIAS || to === SERVICE_ALIAS) return `"${SERVICE_ALIAS}" is the name of no issuer`;
  return from === to ? `${JSON.stringify(from)} is called so already` : undefined;
};

/**
 * Returns the changes of a file with one a line, OLD,NEW (RFC 4180), or every fault in it by its line. A first line that says
 * `old,new` is passed over.
 */
export const parseOwnerMap = (
  text: string,
): { readonly changes: readonly OwnerChange[]; readonly faults: readonly string[] } => {
  const changes: OwnerChange[] = [];
  const faults: string[] = [];
  const known = new Set<string>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || (index === 0 && /^\s*old\s*,\s*new\s*$/i.test(line))) continue;
    const fields = fieldsOf(line);
    const [from = '', to = ''] = fields ?? [];
    const fault =
      fields?.length === 2 ? (changeFault({ from, to }) ?? twice(known, from)) : 'expected two fields: OLD,NEW';
    if (fault === undefined) changes.push({ from, to });
    else faults.push(`line ${index + 1}: ${fault}`);
    known.add(from);
  }
  return { changes, faults };
};

const twice = (known: ReadonlySet<string>, from: string): string | undefined =>
  known.has(from) ? `${JSON.stringify(from)} is there twice` : undefined;

/** Undefined where a quote has no end, or stands in the middle of a field. */
const fieldsOf = (line: string): readonly string[] | undefined => {
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  const fields: string[] = [];
  for (;;) {
    const found = field.exec(line);
    if (found === null) return undefined;
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2]?.trim() ?? '');
    if (found[3] === '') return fields;
  }
};
