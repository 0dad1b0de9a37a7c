/** Who can log in at the demonstration's provider. */

export interface DemoAccount {
  /** The `sub` of its tokens. */
  readonly user: string;
  readonly name: string;
  readonly about: string;
  readonly roles: readonly string[];
}

export const DEMO_ACCOUNTS: readonly DemoAccount[] = [
  { user: 'alice', name: 'Alice', about: 'a user', roles: [] },
  { user: 'bob', name: 'Bob', about: 'another user', roles: [] },
  { user: 'admin', name: 'Admin', about: 'has the role admin', roles: ['admin'] },
];

/** Returns the account of a name, undefined where there is none. */
export const accountOf = (user: string | undefined): DemoAccount | undefined =>
  DEMO_ACCOUNTS.find((account) => account.user === user);
