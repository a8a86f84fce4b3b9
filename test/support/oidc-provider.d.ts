// The part of the npm package oidc-provider 9 that the embedded provider uses; the package has no types of its own.

declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface Client {
    backchannelLogoutUri?: string;
    backchannelLogout(sub: string, sid: string): Promise<void>;
  }

  // biome-ignore lint/style/noDefaultExport: the package has one
  export default class Provider {
    proxy: boolean;
    Client: { find(id: string): Promise<Client | undefined> };
    Grant: new (
      properties: object,
    ) => {
      addOIDCScope(scope: string): void;
      addResourceScope(resource: string, scope: string): void;
      save(): Promise<string>;
    };
    constructor(issuer: string, configuration: object);
    callback(): (req: IncomingMessage, res: ServerResponse) => void;
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<{ uid: string; prompt: { name: string } }>;
    interactionFinished(req: IncomingMessage, res: ServerResponse, result: object, options: object): Promise<void>;
    on(event: string, listener: (...args: unknown[]) => void): this;
  }
}
