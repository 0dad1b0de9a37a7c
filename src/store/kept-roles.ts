/** The roles of a session as a store holds them; somebody may have changed them there by hand. */

/** Returns the roles, undefined where they are no list of texts: `includes` of a text would find roles that nobody has. */
export function keptRoles(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((role) => typeof role === 'string') ? value : undefined;
}

/** Returns what a text says in JSON, undefined where it is none. */
export function keptJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
