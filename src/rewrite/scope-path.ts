/**
 * A user's paths, confined: each user has a folder below the configured root, and what a client gives is a path within
 * it. The upstream joins and opens whatever it is told (contract, section 3), and its file system cannot be seen from
 * here, so a path is a list of plain names or it is refused; nothing is resolved, cleaned up or guessed.
 */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../model/json.ts';
import type { Owner, Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';

/** `file`: one name or more below the user's folder. `folder`: the same, or that folder itself. `name`: one name alone. */
export type PathScope =
  | { readonly as: 'file' | 'folder'; readonly root: string }
  | { readonly as: 'name'; readonly root?: undefined };

/** Returns what the upstream is told: an absolute path in the caller's folder, or the name; or throws `path-invalid`. */
export const scopedPath = (
  scope: PathScope,
  given: JsonValue | undefined,
  principal: Principal | undefined,
): string => {
  if (principal === undefined) throw refused('nobody is known whose folder it could be in');
  if (typeof given !== 'string') throw refused('not a text');
  if (given.length > MAX_PATH) throw refused('too long');
  // A path that two file systems spell differently would be two paths here, and one there.
  if (given !== given.normalize('NFC')) throw refused('not in the normal form NFC');
  if (scope.as === 'name') return plainName(given);
  const folder = `${scope.root}/${userFolder(principal.owner)}`;
  if (given === '' && scope.as === 'folder') return folder;
  return [folder, ...given.split('/').map(plainName)].join('/');
};

/**
 * Returns the name of an owner's folder: some of the owner's letters, for whoever looks at the disk, and a digest, by
 * which no two owners share one, whatever their case or their script. It never changes, and is a plain name itself.
 */
export const userFolder = (owner: Owner): string => {
  const letters = owner.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const digest = createHash('sha256').update(owner).digest('hex').slice(0, DIGEST_DIGITS);
  return [...letters.join('-').slice(0, MAX_LETTERS).split('-'), digest].filter((part) => part !== '').join('-');
};

const DIGEST_DIGITS = 32;
const MAX_LETTERS = 32;
const MAX_PATH = 1_024;
/** What a name may be long in the usual file systems. */
const MAX_NAME_BYTES = 255;

/**
 * What no name is: letters, marks and digits of every script pass, and a few signs. Not among them are separators of any
 * system, `%`, `~`, `:`, `*`, control characters, and whatever is not seen.
 */
const WRONG: ReadonlyArray<readonly [form: RegExp, what: string]> = [
  [/^$/, 'an empty name'],
  [/[^\p{L}\p{M}\p{N} ._()[\]+,@&=!#'-]/u, 'a character that is not taken in names'],
  [/\p{Default_Ignorable_Code_Point}/u, 'an invisible character'],
  [/^[^\p{L}\p{N}_([]/u, 'a name begins with a letter, a digit, an underscore or a bracket'],
  [/[. ]$/, 'a name does not end with a dot or a space'],
];

/** Judged also as whoever folds compatible characters would read it, to whom `℅` holds a slash and `．` is a dot. */
const plainName = (name: string): string => {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw refused('a name is too long');
  for (const spelling of [name, name.normalize('NFKC')]) {
    const wrong = WRONG.find(([form]) => form.test(spelling));
    if (wrong !== undefined) throw refused(wrong[1]);
  }
  return name;
};

const refused = (what: string): Rejection => new Rejection('path-invalid', `the path: ${what}`);
