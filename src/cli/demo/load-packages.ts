// The two packages that only the demo needs. They are development dependencies: `portcullis start` must never miss them,
// so they are imported when the demo starts and not a moment earlier.

import type { ProviderConstructor } from './oidc-provider-types.ts';

export interface DemoPackages {
  readonly Provider: ProviderConstructor;
  readonly ws: typeof import('ws');
}

/** @throws Error with the cure where they are not installed. */
export async function loadPackages(): Promise<DemoPackages> {
  const provider = (await load('oidc-provider')) as { default: ProviderConstructor };
  const ws = (await load('ws')) as typeof import('ws');
  return { Provider: provider.default, ws };
}

// The name is a parameter, so that the type check does not ask for types that oidc-provider does not have.
async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(
      `the demo needs the package ${name}, a development dependency that is not installed here; run it in a checkout: npm ci && npm run demo`,
    );
  }
}
