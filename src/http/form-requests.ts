// Which requests are forms that a person has sent from a page of the application, and which ask for a kept one to be sent.

import { isForeign } from './is-foreign.ts';
import { isPageRequest, isPrefetch } from './navigation.ts';
import { signInPath } from './own-path.ts';
import type { PublicRequest } from './public-request.ts';

/** All that a form without scripts can send (HTML, `enctype`). */
const FORM_TYPES = /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(?:;|$)/i;

/** What is kept of its head: what the body means, and what applications judge a form's origin by. */
const KEPT_HEADERS = new Set(['content-type', 'content-language', 'origin', 'referer']);
const REPLACED_HEADERS = new Set([...KEPT_HEADERS, 'content-length', 'transfer-encoding', 'content-encoding']);

const MARK = 'portcullis-form=';
const FORM_ID_LENGTH = 22;
const ID = /^[A-Za-z0-9_-]{22}$/;

/** A form that the browser shows the answer to as its page. */
export function isForm({ method, request: { headers } }: PublicRequest): boolean {
  return (
    method === 'POST' &&
    FORM_TYPES.test(headers['content-type'] ?? '') &&
    headers['content-encoding'] === undefined &&
    isPageRequest(headers) &&
    !isPrefetch(headers)
  );
}

/** True where the browser says that a page of our own origin sent it; where nobody says anything, it is not. */
export function isFromOwnPage(entry: PublicRequest): boolean {
  const { 'sec-fetch-site': site, origin, referer } = entry.request.headers;
  if (isForeign(entry)) return false;
  if (site === 'same-origin') return true;
  if (origin !== undefined) return origin === entry.publicOrigin;
  return referer !== undefined && URL.parse(referer)?.origin === entry.publicOrigin;
}

/** The headers of a form that have to come back with its body. */
export function formHeaders(rawHeaders: readonly string[]): string[] {
  return pairs(rawHeaders, (name) => KEPT_HEADERS.has(name));
}

/** The head of the request by which a user has a kept form sent, with the form's own headers in it. */
export function withFormHeaders(
  rawHeaders: readonly string[],
  form: { headers: readonly string[]; body: Buffer },
): string[] {
  const kept = pairs(rawHeaders, (name) => !REPLACED_HEADERS.has(name));
  return [...kept, ...form.headers, 'Content-Length', String(form.body.length)];
}

/** Where the button posts to: the form's own address, so that the links of the application's answer lead where they should. */
export function sendingTarget(target: string, id: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}${MARK}${id}`;
}

/** The kept form that a POST to `target` asks for. */
export function askedForm(target: string): string | undefined {
  const at = target.length - FORM_ID_LENGTH - MARK.length;
  if (at < 2 || !target.startsWith(MARK, at) || !'?&'.includes(target[at - 1]!)) return undefined;
  return parseFormId(target.slice(-FORM_ID_LENGTH));
}

/** The address without what asks for a form. */
export function withoutMark(target: string): string {
  return target.slice(0, -FORM_ID_LENGTH - MARK.length - 1);
}

/** To sign in, as strongly as the form's address asks, and back to the form's page. */
export function signInForForm(prefix: string, id: string): string {
  return signInPath(prefix, formPath(prefix, id));
}

/** `text` as the id of a form, or undefined where it cannot be one. */
export function parseFormId(text: string | undefined): string | undefined {
  return text !== undefined && ID.test(text) ? text : undefined;
}

/** The page of a kept form, below the prefix. */
export function formPath(prefix: string, id: string): string {
  return `${prefix}/form?id=${id}`;
}

function pairs(rawHeaders: readonly string[], wanted: (name: string) => boolean): string[] {
  const out: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (wanted(rawHeaders[i]!.toLowerCase())) out.push(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  return out;
}
