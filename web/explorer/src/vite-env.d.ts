// What the build brings into the types: Vite's own, and Svelte's components.

/// <reference types="vite/client" />
/// <reference types="svelte" />

/** Of the browser's types, what Trusted Types need here. */
interface TrustedTypePolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): { createScriptURL(address: string): unknown };
}
declare var trustedTypes: TrustedTypePolicyFactory | undefined;
