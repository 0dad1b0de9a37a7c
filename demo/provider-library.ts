/**
 * oidc-provider without what it prints when it is loaded: that a Node which is no LTS release, as the pinned one was none
 * when it was built, is none of its runtimes. All else that it has to say is said by configuring it.
 */
const { warn } = console;
console.warn = () => undefined;
const library = await import('oidc-provider').finally(() => {
  console.warn = warn;
});

export const { Provider } = library;
export type Provider = InstanceType<typeof library.Provider>;
