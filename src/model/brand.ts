/**
 * Nominal types. A branded value can be made only where the cast is written, and a test (test/architecture) allows that
 * cast in one file for each brand. So a stage that asks for a `Grant` cannot be reached by a request that nobody judged.
 */
declare const brand: unique symbol;

export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
