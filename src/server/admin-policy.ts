/** The policy's part of the admin API: what is live may be asked by whoever is on this machine, to change it takes the token. */
import { Hono } from 'hono';
import { type AdminAccess, adminGuard } from './admin-guard.ts';

export interface AdminPolicy extends AdminAccess {
  readonly status: () => object;
  readonly reload: () => AdminOutcome;
  readonly rollBack: () => AdminOutcome;
}

/** What was done or why not, and the policy that is live now. */
export interface AdminOutcome {
  readonly done: boolean;
  readonly answer: object;
}

/** Returns the routes below `/policy`; they throw a Rejection for what may not be asked. */
export const policyRoutes = (policy: AdminPolicy): Hono => {
  const routes = new Hono();
  routes.use('*', adminGuard(policy, ['GET']));
  routes.get('/', (context) => context.json(policy.status()));
  for (const [path, act] of [
    ['/reload', policy.reload],
    ['/rollback', policy.rollBack],
  ] as const) {
    routes.post(path, (context) => {
      const { done, answer } = act();
      return context.json(answer, done ? 200 : 409);
    });
  }
  return routes;
};
