// How the gate's own cookies are named and how far they reach, as the configuration says.

import type { Config } from '../config/model.ts';
import type { CookieScope } from '../http/cookies.ts';

/** The names and reach of the gate's own cookies. */
export function cookieScope({ session, proxyPrefix }: Config): CookieScope {
  const { name, sameSite, domain, secure } = session.cookie;
  return {
    sessionName: name,
    lastUserName: `${name}-user`,
    // Not `__Host-`: that prefix demands the path `/`, and these go to the callback alone.
    loginPrefix: `${secure ? '__Secure-' : ''}${name.replace(/^__(?:Host|Secure)-/, '')}-login-`,
    sameSite,
    domain,
    secure,
    callbackPath: `${proxyPrefix}/callback`,
  };
}
