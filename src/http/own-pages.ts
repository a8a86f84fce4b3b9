// The two pages of ours that a sign-in may lead to, and where it goes from there: that of a kept form, and the end of a sign-in
// in another window (`<prefix>/signed-in?page=`, with the path of the page that waits).

import { returnAddress } from '../access/return-address.ts';
import { formPath, parseFormId } from './form-requests.ts';
import type { GateContext } from './gate-context.ts';

/** Where a sign-in beside `page`, a path of the application, ends. */
export function signedInPath(prefix: string, page: string): string {
  return `${prefix}/signed-in?page=${encodeURIComponent(page)}`;
}

/** `asked` as an absolute URL, if it is one of the two. */
export function ownPage(asked: string, origin: string, prefix: string): string | undefined {
  const path = asked.startsWith(`${origin}/`) ? asked.slice(origin.length) : asked;
  const isOurs =
    path === `${prefix}/signed-in` ||
    pageBehind(path, origin, prefix) !== undefined ||
    formBehind(path, prefix) !== undefined;
  return isOurs ? `${origin}${path}` : undefined;
}

/**
 * The application's address behind such a page: by it the provider is asked, as it would be on the way there. undefined for any
 * other address. @throws GatewayError `store_unavailable`
 */
export async function addressBehind(ctx: GateContext, returnTo: string): Promise<string | undefined> {
  const { entry, forms } = ctx.state;
  const { publicOrigin: origin, snapshot } = entry;
  const path = returnTo.slice(origin.length);
  const id = formBehind(path, snapshot.prefix);
  if (id === undefined) return pageBehind(path, origin, snapshot.prefix);
  const form = await forms?.kept.find(id);
  return typeof form === 'object' && form.publicOrigin === origin ? `${origin}${form.target}` : undefined;
}

function pageBehind(path: string, origin: string, prefix: string): string | undefined {
  const [before, query] = path.split('?');
  if (before !== `${prefix}/signed-in`) return undefined;
  const page = new URLSearchParams(query).get('page');
  // Written as we write it, and nothing besides.
  if (page === null || signedInPath(prefix, page) !== path) return undefined;
  return returnAddress(page, origin, prefix);
}

/** The form's id. */
function formBehind(path: string, prefix: string): string | undefined {
  const id = parseFormId(path.slice(formPath(prefix, '').length));
  return id !== undefined && path === formPath(prefix, id) ? id : undefined;
}
