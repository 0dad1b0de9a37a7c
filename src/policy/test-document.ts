/** The tests of a policy as they are written: the schema of *.test.yaml, and what only the policy can tell about them. */
import { z } from 'zod';
import { isId } from '../authz/locate.ts';
import { isCallId } from '../model/call.ts';
import type { Policy } from '../model/policy.ts';
import { reasons } from '../model/reason.ts';
import type { ResourceRef } from '../model/resource.ts';
import { checkDocument, faultAt, type YamlDocument } from './document.ts';
import { type Fault, nearestWord } from './fault.ts';
import type { Path } from './scope.ts';

const words: [string, ...string[]] = ['allowed', ...Object.keys(reasons)];

const person = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const kind = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/);
const send = z
  .string()
  .regex(/^[A-Z]+ \/\S*$/)
  .describe('METHOD /path?query');
const ref = z.string().regex(/^[a-z][a-z0-9_]{0,31}:.+$/, 'kind:id');
const refs = z.array(ref).describe('kind:id');
const decision = z.enum(words).describe('allowed, or the reason of the refusal');
const headers = z.record(z.string().regex(/^[a-z0-9-]+$/), z.string());
const json = z.json();
const status = z.int().min(100).max(599);

const answer = z.strictObject({
  status: status.default(200),
  headers: headers.default({}),
  json: json.optional(),
  text: z.string().optional(),
});

const carried = {
  headers: headers.default({}),
  body: z.record(z.string(), json).optional().describe('A JSON object'),
  text: z.string().optional().describe('A body as it stands here'),
  form: z
    .record(z.string(), z.strictObject({ name: z.string().optional(), type: z.string().optional(), text: z.string() }))
    .optional()
    .describe('The parts of a form'),
  answer: answer.optional().describe('What the server answers'),
  repeat: z.int().min(1).max(10_000).default(1).describe('Sent so many times; the last one is judged'),
};

const expected = z.strictObject({
  decision: decision.optional(),
  route: z.string().optional(),
  forwarded: z
    .strictObject({
      target: z.string().optional(),
      headers: z.record(z.string(), z.string().nullable()).optional().describe('null: is not there'),
      body: json.optional(),
      text: z.string().optional(),
    })
    .nullable()
    .optional()
    .describe('null: nothing is forwarded'),
  shown: z
    .strictObject({
      status: status.optional(),
      headers: z.record(z.string(), z.string().nullable()).optional().describe('null: is not there'),
      json: json.optional(),
      text: z.string().optional(),
    })
    .optional(),
  claims: refs.optional(),
  releases: refs.optional(),
  learned: refs.optional(),
  would: z.array(z.string()).optional().describe('In shadow: what the policy would have done'),
});

const request = z.strictObject({ name: z.string().min(1), as: person, send, ...carried, expect: expected });

const event = z.strictObject({
  name: z.string().min(1),
  event: z.string().min(1),
  payload: z.record(z.string(), json),
  expect: z.strictObject({
    heard: z.array(person).optional().describe('Who hears it'),
    payload: json.optional().describe('What they hear'),
    dropped: z.string().nullable().optional().describe('Why nobody does; null: it was not dropped'),
    learned: refs.optional(),
    ended: refs.optional(),
    pending: z.array(z.string()).optional().describe('The calls that wait from now on'),
    settled: z.array(z.string()).optional().describe('The calls that wait no longer'),
    stopped: z.enum(words).nullable().optional().describe('Why its run is stopped; null: it is not'),
    cancelled: z.array(send).optional().describe('What the server is asked for, to end the run'),
  }),
});

const matrix = z.strictObject({
  name: z.string().min(1),
  as: z.array(person).min(1),
  rows: z
    .array(z.strictObject({ send, ...carried, expect: z.union([decision, z.array(decision)]) }))
    .min(1)
    .describe('expect: one decision for each of as, or one for all'),
});

const things = z.record(person, z.record(kind, z.array(z.string())));

const testFileSchema = z.strictObject({
  version: z.literal(1),
  policy: z.union([z.string(), z.array(z.string()).min(1)]).describe('Relative to this file'),
  coverage: z.literal('all').optional().describe('all: what no test covers is a failure'),
  golden: z.boolean().default(false).describe('true: everything is also held against the golden file'),
  principals: z.record(
    person,
    z.strictObject({
      user: z.string().optional(),
      issuer: z.string().optional(),
      roles: z.array(z.string()).default([]),
    }),
  ),
  owned: things.default({}),
  deleted: things.default({}),
  pending: z
    .record(ref, z.array(z.string().refine(isCallId, 'the id of a call, of 256 characters at most')))
    .default({})
    .describe('The calls that wait for an answer, by the kind:id in which they were announced'),
  upstream: z.record(z.string().startsWith('/'), answer).default({}).describe('What the gateway’s own look-ups find'),
  requests: z.array(request).default([]),
  events: z.array(event).default([]),
  matrix: z.array(matrix).default([]),
});

export type TestFile = z.infer<typeof testFileSchema>;
export type WrittenRequest = TestFile['requests'][number];
export type WrittenEvent = TestFile['events'][number];
export type WrittenMatrix = TestFile['matrix'][number];
export type WrittenAnswer = NonNullable<WrittenRequest['answer']>;

/** The principal that needs no declaration: nobody, without a token. */
export const NOBODY = 'nobody';

/** Returns what a test file says, or every fault in its form. */
export const checkTestFile = (document: YamlDocument) => checkDocument<TestFile>(document, testFileSchema);

/** Returns the faults that show only beside the policy: names that lead nowhere. */
export const testFileFaults = (document: YamlDocument, file: TestFile, policy: Policy): readonly Fault[] => {
  const context: Context = { document, file, policy, faults: [] };
  checkPeople(context);
  checkPending(context);
  checkNames(context);
  for (const [index, test] of file.requests.entries()) {
    const at = ['requests', index];
    checkPerson(context, test.as, [...at, 'as']);
    checkCarried(context, test, at);
    const routes = policy.routes.map(({ id }) => id);
    if (test.expect.route !== undefined)
      checkKnown(context, test.expect.route, { known: routes, at: [...at, 'expect', 'route'] });
  }
  for (const [index, test] of file.events.entries()) {
    const at = ['events', index];
    if (policy.sockets.length === 0)
      fault(context, at, { message: 'the policy has no socket that could hear an event' });
    for (const [place, name] of (test.expect.heard ?? []).entries()) {
      checkPerson(context, name, [...at, 'expect', 'heard', place]);
    }
  }
  for (const [index, test] of file.matrix.entries()) checkMatrix(context, test, ['matrix', index]);
  return context.faults.sort((a, b) => a.line - b.line || a.column - b.column);
};

interface Context {
  readonly document: YamlDocument;
  readonly file: TestFile;
  readonly policy: Policy;
  readonly faults: Fault[];
}

type Words = Parameters<typeof faultAt>[2];

const fault = ({ document, faults }: Context, at: Path, said: Words): void => {
  faults.push(faultAt(document, at, said));
};

interface Known {
  readonly known: readonly string[];
  readonly at: Path;
  readonly key?: boolean;
}

/** Nobody reads more, and for each the nearest name is looked for among all. */
const MAX_FAULTS = 100;

const checkKnown = (context: Context, name: string, { known, at, key = false }: Known): void => {
  if (context.faults.length >= MAX_FAULTS || known.includes(name)) return;
  const expected = nearestWord(name, known) ?? known.join(', ');
  fault(context, at, { message: 'this name leads nowhere', found: name, expected, ...(key && { at: 'key' }) });
};

const checkPerson = (context: Context, name: string, at: Path): void =>
  checkKnown(context, name, { known: [NOBODY, ...Object.keys(context.file.principals)], at });

const checkPeople = (context: Context): void => {
  const { file, policy } = context;
  if (Object.hasOwn(file.principals, NOBODY)) {
    fault(context, ['principals', NOBODY], { message: 'nobody is nobody: there is nothing to declare', at: 'key' });
  }
  for (const section of ['owned', 'deleted'] as const) {
    for (const [name, byKind] of Object.entries(file[section])) {
      checkKnown(context, name, { known: Object.keys(file.principals), at: [section, name], key: true });
      for (const [kindName, ids] of Object.entries(byKind)) {
        const at = [section, name, kindName];
        const resource = policy.resources.get(kindName);
        checkKnown(context, kindName, { known: [...policy.resources.keys()], at, key: true });
        for (const [index, id] of ids.entries()) {
          if (resource === undefined || isId(resource, id)) continue;
          fault(context, [...at, index], { message: `no ${kindName} can have this id`, found: id });
        }
      }
    }
  }
};

/** A call waits in what somebody owns, and of a kind in whose events calls are announced. */
const checkPending = (context: Context): void => {
  const { file, policy } = context;
  const rules = policy.sockets.flatMap(({ deliver }) => [...deliver.values()]);
  const announcing = rules.filter(({ types }) => [...types.values()].some(({ pending }) => pending !== undefined));
  const kinds = new Set(announcing.map(({ owner }) => owner.kind.name));
  for (const key of Object.keys(file.pending)) {
    const place = refOf(key);
    const at = ['pending', key];
    if (!kinds.has(place.kind)) {
      const expected = [...kinds].join(' or ') || 'a policy with pending at a type of an event';
      fault(context, at, { message: 'no call is announced in this', found: place.kind, expected, at: 'key' });
    } else if (ownerNameOf(file, place) === undefined) {
      fault(context, at, { message: 'nobody owns this', found: key, expected: 'one of owned', at: 'key' });
    }
  }
};

/** Returns what `kind:id` stands for. */
export const refOf = (text: string): ResourceRef => {
  const colon = text.indexOf(':');
  return { kind: text.slice(0, colon), id: text.slice(colon + 1) };
};

/** Returns the principal who owns something in a test file. */
export const ownerNameOf = ({ owned }: Pick<TestFile, 'owned'>, { kind, id }: ResourceRef): string | undefined =>
  Object.keys(owned).find((name) => owned[name]?.[kind]?.includes(id));

/** Tests are told apart by their names. */
const checkNames = (context: Context): void => {
  const seen = new Set<string>();
  for (const section of ['requests', 'events', 'matrix'] as const) {
    for (const [index, { name }] of context.file[section].entries()) {
      if (seen.has(name))
        fault(context, [section, index, 'name'], { message: 'another test has this name', found: name });
      seen.add(name);
    }
  }
};

const checkCarried = (context: Context, carrier: Pick<WrittenRequest, 'body' | 'text' | 'form'>, at: Path): void => {
  const given = (['body', 'text', 'form'] as const).filter((word) => carrier[word] !== undefined);
  if (given.length < 2) return;
  fault(context, at, { message: 'a request has one body', found: given.join(' and '), expected: 'one of them' });
};

const checkMatrix = (context: Context, { as, rows }: WrittenMatrix, at: Path): void => {
  for (const [index, name] of as.entries()) checkPerson(context, name, [...at, 'as', index]);
  for (const [index, row] of rows.entries()) {
    const { expect } = row;
    checkCarried(context, row, [...at, 'rows', index]);
    if (typeof expect === 'string' || expect.length === as.length) continue;
    fault(context, [...at, 'rows', index, 'expect'], {
      message: 'each of as has one decision',
      found: String(expect.length),
      expected: String(as.length),
    });
  }
};
