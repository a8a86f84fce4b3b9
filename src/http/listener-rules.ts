// The part of a snapshot by which a request on the public listener is read.

import type { AdminUrlPlace } from './admin-url.ts';
import type { TrustedProxies } from './client-address.ts';
import type { CookieScope } from './cookies.ts';

export interface ListenerRules {
  /** The gate's own paths begin with it: `/_gate`. */
  readonly prefix: string;
  readonly adminUrl: AdminUrlPlace;
  readonly trustedProxies: TrustedProxies;
  readonly cookies: CookieScope;
  /** What the provider is asked besides for who wants to go to this address, one of ours. */
  authorizationParams(address: string): Readonly<Record<string, string>>;
  /** Any of these is what a page (GET) or a form (POST) at this address asks for; undefined: none in particular. */
  acrFor(address: string, method: 'GET' | 'POST'): readonly string[] | undefined;
}
