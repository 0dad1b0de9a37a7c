/** What becomes of an answer on a route, in plain words. */
import type { ParsedRoute } from '../policy/schema.ts';

type Filter = NonNullable<ParsedRoute['filter']>;

export const UNTOUCHED = 'it passes as the server gives it';
const AS_A_PAGE = `${UNTOUCHED}, and where people can log in with a script put first into it`;

/** Returns one sentence for each thing that is done to an answer before the caller sees it. */
export const answerWords = (route: ParsedRoute): readonly string[] => {
  const { access, filter, cache, answer, headers = {} } = route;
  const words: string[] = [];
  if (answer !== undefined) words.push(`the gateway itself answers ${answer.status}`);
  if (cache !== undefined) words.push(`one copy of it is shared by all callers for ${cache['max-age']}`);
  if (filter !== undefined) words.push(...filterWords(filter));
  else if (answer === undefined) words.push(access === 'page' ? AS_A_PAGE : UNTOUCHED);
  for (const [name, value] of Object.entries(headers)) words.push(`its header ${name} is set to ${value}`);
  return words;
};

const filterWords = (filter: Filter): string[] => {
  const { keep = [], learn = {}, drop = [], redact = [], relative, 'user-paths': userPaths = {}, max } = filter;
  return [
    ...keep.map(
      ({ resource, each, id }) => `at ${each} only those whose ${id} is a ${resource} of the caller’s are kept`,
    ),
    ...Object.entries(learn).map(([kind, at]) => `the ${kind} at ${at} becomes the caller’s`),
    ...drop.map((place) => `${placeWords(place)} is removed`),
    ...redact.map((place) => `${placeWords(place)} is replaced by [redacted]`),
    ...Object.entries(userPaths).map(([field, as]) => `${field} is shown as ${as}, below the caller’s own folder`),
    ...(relative === true ? ['loopback URLs of the server become relative'] : []),
    ...(max === undefined ? [] : [`what cannot be judged within ${max} is refused`]),
  ];
};

const placeWords = (place: NonNullable<Filter['drop']>[number]): string =>
  typeof place === 'string' ? place : `${place.at}, where its condition holds,`;
