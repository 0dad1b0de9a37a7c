/** Routes that are listed and that nobody can pass. Two that match one request are a fault already; these are the rest. */
import type { ResourceKind } from '../model/resource.ts';
import { listedRoutes, type Subject, type Warning, warn } from './lint-warning.ts';
import { grammarOf } from './safe-pattern.ts';

/** Returns a warning for each route that names a kind of which no id can stand at its place. */
export const reachWarnings = (subject: Subject): readonly Warning[] =>
  listedRoutes(subject)
    .filter(({ route }) => route.access !== 'denied')
    .flatMap((listed) => {
      const because = listed.route.uses
        .map(({ kind, at }) => allReserved(kind) ?? (at.in === 'path' ? neverInPath(kind) : undefined))
        .find((reason) => reason !== undefined);
      return because === undefined ? [] : [warn('route-unreachable', listed, because)];
    });

const PLAIN_WORDS = /^[A-Za-z0-9_-]+(?:\|[A-Za-z0-9_-]+)*$/;

/** A grammar of a few words, each of which can never be owned. */
const allReserved = (kind: ResourceKind): string | undefined => {
  const grammar = grammarOf(kind.pattern);
  const empty = PLAIN_WORDS.test(grammar) && grammar.split('|').every((word) => kind.reserved.has(word));
  return empty ? `every ${kind.name} is reserved` : undefined;
};

/** What a path may hold besides its slashes; the rest is refused before any route is looked for. */
const PATH_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,=:@]$/;
/** One element of a grammar without alternatives: a class, an escape or a character, and how often it may stand there. */
const ELEMENT = /(\[(?:\\.|[^\]\\])*\]|\\.|[^\\])([*?]|\{[^}]*\})?/g;

/** A character that each id must have and no path can. */
const neverInPath = (kind: ResourceKind): string | undefined => {
  const grammar = grammarOf(kind.pattern);
  if (/[|()]/.test(grammar)) return undefined;
  for (const [, element = '', times = ''] of grammar.matchAll(ELEMENT)) {
    if (/^(?:[*?]|\{0?,|\{0\})/.test(times)) continue;
    const character = /^\\[^A-Za-z0-9]$/.test(element) ? element.slice(1) : element;
    if (character.length > 1 || '.+^$'.includes(element) || PATH_CHARACTER.test(character)) continue;
    return `each ${kind.name} has the character ${JSON.stringify(character)}, which no path may hold`;
  }
  return undefined;
};
