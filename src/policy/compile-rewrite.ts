/** The rewrite operations of a route as written -> functions on its body; what would undo a check is a fault. */
import type { Condition } from '../model/condition.ts';
import type { BodyOperation } from '../model/route.ts';
import { operations, type SetSource } from '../rewrite/operations.ts';
import type { Sought } from './compile-body.ts';
import { asksRolesOnly, compileCondition } from './compile-condition.ts';
import { scopeOf, worksOnBody } from './compile-paths.ts';
import { named } from './refer.ts';
import type { WrittenCondition } from './schema-condition.ts';
import type { WrittenStep } from './schema-route.ts';
import { addFault, type FaultWords, type Path, type RouteContext } from './scope.ts';

interface Step<W> {
  readonly context: RouteContext;
  readonly written: W;
  /** Its place in the route. */
  readonly at: Path;
  /** The fields at the top of the body that are checked, by what they were called there. */
  readonly checked: Set<string>;
  /** The fields that earlier operations have judged, set for the caller, removed or named: their content is settled. */
  readonly settled: Set<string>;
}

type Form<K extends string> = Extract<WrittenStep, Record<K, unknown>>;

/** Returns the operations, in order; their faults, if any, are in the scope. What was sought is as it was found. */
export const compileRewrite = (context: RouteContext, { uses, confirms }: Sought): BodyOperation[] => {
  const { rewrite, body } = context.written;
  if (rewrite.some(worksOnBody) && body?.json === undefined) {
    addFault(context, { message: 'only a JSON body can be rewritten', expected: 'body: { json: SIZE }' }, ['rewrite']);
  }
  const checked = new Set(uses.flatMap(({ at }) => (at.in === 'body' ? [String(at.path[0])] : [])));
  // The scan for citations takes the value of such a key for an id, too.
  if (body?.references !== undefined) checked.add(`${body.references}_id`);
  if (confirms !== undefined) checked.add(String(confirms.call[0]));
  const settled = new Set<string>();
  return rewrite.flatMap((written, index): BodyOperation[] => {
    const operation = compileStep({ context, written, at: ['rewrite', index], checked, settled });
    return operation === undefined ? [] : [operation];
  });
};

const compileStep = (step: Step<WrittenStep>): BodyOperation | undefined => {
  const { written } = step;
  if ('set' in written) return compileSet({ ...step, written });
  if ('drop' in written) return compileDrop({ ...step, written });
  if ('rename' in written) return compileRename({ ...step, written });
  if ('catalogue' in written) return compileCatalogue({ ...step, written });
  if ('scope-path' in written) return compileScope({ ...step, written });
  step.settled.add(written.inline);
  return operations.inline(written.inline);
};

const fault = ({ context, at }: Step<unknown>, words: FaultWords, below: Path): void =>
  addFault(context, words, [...at, ...below]);

const compileSet = (step: Step<Form<'set'>>): BodyOperation => {
  const { set, when } = step.written;
  const fields = new Map<string, SetSource>();
  for (const [field, source] of Object.entries(set)) {
    refuseChecked(step, field, ['set', field]);
    fields.set(field, typeof source === 'string' ? source : { value: source.value });
    if (typeof source !== 'string') continue;
    step.settled.add(field);
    if (when === undefined) continue;
    const message = 'who is calling is set for every caller, or the client’s own word would pass for it';
    fault(step, { message, found: source, expected: 'no when' }, ['when']);
  }
  return conditional(step, when, operations.set(fields));
};

const compileDrop = (step: Step<Form<'drop'>>): BodyOperation => {
  const { drop, when } = step.written;
  for (const [index, field] of drop.entries()) {
    refuseChecked(step, field, ['drop', index]);
    step.settled.add(field);
  }
  if (when !== undefined) requireRoles(step, when, ['when']);
  return conditional(step, when, operations.drop(drop));
};

/** What was checked or settled stays so under its new name, and nothing else may come to be called as it is called. */
const compileRename = (step: Step<Form<'rename'>>): BodyOperation => {
  const { rename, when } = step.written;
  const { from, to } = rename;
  const at = ['rename', 'to'];
  refuseChecked(step, to, at);
  if (from === to) fault(step, { message: 'a field has this name already', found: to, expected: 'another name' }, at);
  else if (step.settled.has(to)) {
    const message = 'an operation before this one has settled what this field holds';
    fault(step, { message, found: to, expected: 'another name, or the rename before it' }, at);
  }
  if (when !== undefined && (step.checked.has(from) || step.settled.has(from))) {
    const message = 'what is checked is renamed for every request, or something else would pass under the new name';
    fault(step, { message, found: from, expected: 'no when' }, ['when']);
  }
  if (step.checked.has(from)) step.checked.add(to);
  step.settled.add(to);
  return conditional(step, when, operations.rename(rename));
};

const compileCatalogue = (step: Step<Form<'catalogue'>>): BodyOperation | undefined => {
  const { field, from, each } = step.written.catalogue;
  refuseChecked(step, field, ['catalogue', 'field']);
  step.settled.add(field);
  const catalogue = named(step.context, step.context.scope.catalogues)(from, [...step.at, 'catalogue', 'from']);
  return catalogue === undefined ? undefined : operations.catalogue({ field, from: catalogue, each });
};

/** What is in the query is rewritten with it, see compile-paths. A path that is confined is not replaced later. */
const compileScope = (step: Step<Form<'scope-path'>>): BodyOperation | undefined => {
  const scope = step.written['scope-path'];
  if ('query' in scope) return undefined;
  refuseChecked(step, scope.field, ['scope-path', 'field']);
  step.checked.add(scope.field);
  return operations.scopePath(scope.field, scopeOf(scope));
};

/** What was checked is what is forwarded. */
const refuseChecked = (step: Step<unknown>, field: string, below: Path): void => {
  if (!step.checked.has(field)) return;
  const message = 'this field holds an id that was checked, and what was checked is what is forwarded';
  fault(step, { message, found: field, expected: 'another field' }, below);
};

const requireRoles = (step: Step<unknown>, when: WrittenCondition, below: Path): void => {
  if (asksRolesOnly(when)) return;
  const message = 'what the client says of itself cannot lift a protection';
  fault(step, { message, expected: 'a condition of roles alone' }, below);
};

const conditional = (
  { context, at }: Step<unknown>,
  when: WrittenCondition | undefined,
  operation: BodyOperation,
): BodyOperation => {
  if (when === undefined) return operation;
  const holds: Condition = compileCondition(context, when, [...at, 'when']);
  return (body, rewriting) => {
    const { canonical, principal } = rewriting;
    return holds({ canonical, principal, body }) ? operation(body, rewriting) : undefined;
  };
};
