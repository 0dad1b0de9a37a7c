/** Opens the place that an issuer's settings name. */
import type { KeySource } from '../../authn/keys.ts';
import { fileKeySource } from './file.ts';
import { urlKeySource } from './url.ts';

/** Returns the source of public keys behind an URL or in a file, or throws a TypeError when the URL is not acceptable. */
export const keySource = (place: { readonly url: string } | { readonly file: string }): KeySource =>
  'url' in place ? urlKeySource(place.url) : fileKeySource(place.file);
