// Is a request to an application's logout path the user's own wish to leave, and can its answer lead the browser on to the
// provider? The application gets every request; what another site, a prefetch or an image sends ends no session.

import { isForeign, type SentRequest } from './is-foreign.ts';
import { isPageRequest, isPrefetch } from './navigation.ts';

/** `page`: the browser shows the answer, and follows a redirect to the provider. `script`: it does not. */
export type OwnWish = 'page' | 'script';

/** Nobody leaves by asking about a page or about what may be asked. */
const NEVER = new Set(['HEAD', 'OPTIONS']);
const FRAMES = new Set(['frame', 'iframe']);

/** undefined: nobody's wish. */
export function ownWish(entry: SentRequest): OwnWish | undefined {
  const { method } = entry;
  const { headers } = entry.request;
  if (!canAskForLogout(method) || isPrefetch(headers) || isForeign(entry)) return undefined;
  if (isPageRequest(headers)) return 'page';
  const destination = headers['sec-fetch-dest'];
  if (destination === 'empty') return 'script';
  // A browser that does not say what it is for: a GET may be an image that another user put into the page.
  if (destination === undefined) return method !== 'GET' || headers['x-requested-with'] ? 'script' : undefined;
  // A link that was clicked within a frame: providers refuse to be shown in one.
  const isClicked = headers['sec-fetch-user'] === '?1';
  return isClicked && typeof destination === 'string' && FRAMES.has(destination) ? 'script' : undefined;
}

/** Whether an answer to this method may end a session at all. */
export function canAskForLogout(method: string): boolean {
  return !NEVER.has(method);
}
