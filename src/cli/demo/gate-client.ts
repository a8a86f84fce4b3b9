// A gate as the provider knows it: one client, registered by hand as an operator would.

export interface GateClient {
  readonly name: 'wiki' | 'notes';
  readonly clientId: string;
  readonly clientSecret: string;
  readonly publicUrl: string;
}

/** What every gate asks for. `groups` is what the wiki's access rule looks at. */
export const SCOPES: readonly string[] = ['openid', 'profile', 'email', 'groups'];
