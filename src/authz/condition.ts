/** Whether a request meets the condition that its route sets: the first thing that authorization asks. */
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadRequest } from '../model/request.ts';
import type { RouteMatch } from '../model/route.ts';

/** Throws `condition-unmet` where the route has a condition and it does not hold. */
export const meetCondition = (
  { canonical, body }: ReadRequest,
  { route }: RouteMatch,
  principal: Principal | undefined,
): void => {
  if (route.when === undefined) return;
  if (route.when({ canonical, body: body.kind === 'json' ? body.value : undefined, principal })) return;
  throw new Rejection('condition-unmet', `the condition of the route ${route.id} does not hold`);
};
