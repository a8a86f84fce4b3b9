// The part of the npm package oidc-provider 9 that the demo uses; the package has no types of its own.

import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the configuration's functions get: a Koa context with the request's OpenID Connect part. */
export interface ProviderContext {
  body: unknown;
  type: string;
  readonly oidc: {
    readonly provider: DemoProvider;
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
  };
}

/** The sign-on session of one browser at the provider; `authorizations` has one entry per client that it signed in to. */
interface ProviderSession {
  readonly accountId: string | undefined;
  readonly authorizations: Readonly<Record<string, unknown>> | undefined;
}

export interface DemoProvider {
  readonly Grant: new (
    properties: object,
  ) => {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  };
  readonly Session: { get(context: unknown): Promise<ProviderSession> };
  createContext(request: IncomingMessage, response: ServerResponse): unknown;
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
  interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<{ params: Record<string, unknown> }>;
  interactionFinished(
    request: IncomingMessage,
    response: ServerResponse,
    result: object,
    options: { mergeWithLastSubmission: boolean },
  ): Promise<void>;
  on(event: string, listener: (...args: never[]) => void): void;
}

export type ProviderConstructor = new (issuer: string, configuration: object) => DemoProvider;
