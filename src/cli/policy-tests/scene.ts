/** From a test as it is written to what is rehearsed: who calls with which bytes, whose is what, what the server says. */
import type { CallAnswer } from '../../model/call.ts';
import type { RouteMatch } from '../../model/route.ts';
import {
  NOBODY,
  ownerNameOf,
  refOf,
  type TestFile,
  type WrittenAnswer,
  type WrittenRequest,
} from '../../policy/test-document.ts';
import type { Belonging } from '../rehearsal/belongings.ts';
import type { ScriptedAnswer } from '../rehearsal/origin.ts';
import type { Asked } from '../rehearsal/rehearsal.ts';
import type { Caller } from '../rehearsal/stand-in.ts';

/** The issuer of principals that name none. */
const ISSUER = 'users';

type Carrier = Pick<WrittenRequest, 'send' | 'headers' | 'body' | 'text' | 'form' | 'answer'>;

/** Returns the issuers of all principals. */
export const issuersOf = ({ principals }: TestFile): readonly string[] => [
  ...new Set([ISSUER, ...Object.values(principals).flatMap(({ issuer }) => issuer ?? [])]),
];

/** Returns somebody of the file; undefined for nobody. */
export const callerOf = ({ principals }: TestFile, name: string): Caller | undefined => {
  const written = name === NOBODY ? undefined : principals[name];
  return written && { issuer: written.issuer ?? ISSUER, user: written.user ?? name, roles: written.roles };
};

/** Returns the owner that a principal is. */
export const ownerOf = (file: TestFile, name: string): string => {
  const caller = callerOf(file, name);
  return caller === undefined ? NOBODY : `${caller.issuer}|${caller.user}`;
};

/** Returns what belongs to whom before each test. */
export const belongingsOf = (file: TestFile): readonly Belonging[] =>
  (['owned', 'deleted'] as const).flatMap((section) =>
    Object.entries(file[section]).flatMap(([name, byKind]) =>
      Object.entries(byKind).flatMap(([kind, ids]) =>
        ids.map((id) => ({ ref: { kind, id }, owner: ownerOf(file, name), deleted: section === 'deleted' })),
      ),
    ),
  );

/** Returns the calls that wait before each test. */
export const pendingOf = (file: TestFile): readonly CallAnswer[] =>
  Object.entries(file.pending).flatMap(([key, calls]) => {
    const place = refOf(key);
    const owner = ownerOf(file, ownerNameOf(file, place) ?? NOBODY);
    return calls.map((call) => ({ place, owner, call }));
  });

/** Returns what the gateway's own look-ups find. */
export const upstreamOf = ({ upstream }: TestFile): ReadonlyMap<string, ScriptedAnswer> =>
  new Map(Object.entries(upstream).map(([target, answer]) => [target, scripted(answer)]));

/** Returns the request of a test, as somebody sends it. */
export const askedOf = (carrier: Carrier, caller: Caller | undefined): Asked => {
  const [method = '', target = ''] = carrier.send.split(' ');
  const { type, body } = bodyOf(carrier);
  const headers = Object.entries(carrier.headers).flat();
  if (type !== undefined && carrier.headers['content-type'] === undefined) headers.push('content-type', type);
  const { answer } = carrier;
  return { method, target, headers, body, caller, answer: (match) => (answer ? scripted(answer) : plainAnswer(match)) };
};

const bodyOf = ({ body, text, form }: Carrier): { readonly type?: string; readonly body: Buffer | undefined } => {
  if (body !== undefined) return { type: JSON_TYPE, body: Buffer.from(JSON.stringify(body)) };
  if (text !== undefined) return { type: JSON_TYPE, body: Buffer.from(text) };
  if (form === undefined) return { body: undefined };
  const parts = Object.entries(form).map(([name, part]) => formPart(name, part));
  const type = `multipart/form-data; boundary=${FORM_BOUNDARY}`;
  return { type, body: Buffer.from(`${parts.join('')}--${FORM_BOUNDARY}--\r\n`) };
};

const FORM_BOUNDARY = 'test-boundary';

type FormPart = NonNullable<Carrier['form']>[string];

/** As a browser writes it; the names stand there as the test has them, however unfit. */
const formPart = (name: string, { name: fileName, type, text }: FormPart): string => {
  const file = fileName === undefined ? '' : `; filename="${fileName}"`;
  const typed = type === undefined ? '' : `Content-Type: ${type}\r\n`;
  return `--${FORM_BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${typed}\r\n${text}\r\n`;
};

const JSON_TYPE = 'application/json';

const scripted = ({ status, headers, json, text }: WrittenAnswer): ScriptedAnswer => ({
  status,
  headers: { ...(json !== undefined && { 'content-type': JSON_TYPE }), ...headers },
  body: Buffer.from(json === undefined ? (text ?? '') : JSON.stringify(json)),
});

/** What a test that does not care is answered: nothing much, of the kind that the route expects. */
const plainAnswer = ({ route: { answer } }: RouteMatch): ScriptedAnswer => {
  const isList =
    answer.kind === 'rows' || (answer.kind === 'json' && answer.keep.some(({ list }) => list.length === 0));
  return scripted({ status: 200, headers: {}, json: isList ? [] : {} });
};
