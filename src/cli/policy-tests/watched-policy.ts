/** A policy whose operations tell when they did something: an operation that never changes anything is not tested. */
import type { Policy } from '../../model/policy.ts';
import type { BodyOperation, Route } from '../../model/route.ts';
import type { RoutePlace } from '../../policy/places.ts';
import type { ParsedRoute } from '../../policy/schema.ts';

export interface WatchedPolicy {
  readonly policy: Policy;
  /** Returns the places in `rewrite` of the operations that changed or refused a body since the last call. */
  taken(): ReadonlySet<number>;
}

/** Returns the policy, watched. */
export const watching = (policy: Policy, places: ReadonlyMap<string, RoutePlace>): WatchedPolicy => {
  let touched = new Set<number>();
  const watched = new Map<Route, Route>();
  const watch = (route: Route): Route => {
    const steps = stepsOf(places.get(route.id)?.written);
    const operations = route.operations.map((operation, index) =>
      telling(operation, () => touched.add(steps[index] ?? index)),
    );
    return { ...route, operations };
  };
  return {
    policy: {
      ...policy,
      match(method, path) {
        const found = policy.match(method, path);
        if (found === undefined) return undefined;
        const route = watched.get(found.route) ?? watch(found.route);
        watched.set(found.route, route);
        return { ...found, route };
      },
    },
    taken() {
      const last = touched;
      touched = new Set();
      return last;
    },
  };
};

/** A path in the query is rewritten with the query, so such a step has no operation on the body. */
const stepsOf = (written: ParsedRoute | undefined): readonly number[] =>
  (written?.rewrite ?? []).flatMap((step, index) =>
    'scope-path' in step && 'query' in step['scope-path'] ? [] : [index],
  );

const telling =
  (operation: BodyOperation, tell: () => void): BodyOperation =>
  async (body, context) => {
    const before = JSON.stringify(body);
    try {
      await operation(body, context);
    } catch (error) {
      tell();
      throw error;
    }
    if (JSON.stringify(body) !== before) tell();
  };
