// Signs the test user in at the gate, through the provider's own form: Keycloak's with user name and password, on one page
// or on two. Where that does not lead back, the reason and the cure in words.

import type { Answer, Browser } from '../browser/browser.ts';
import { formsOf, type HtmlForm } from '../browser/html-form.ts';

export interface SignInOptions {
  /** A page behind the gate. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** User name and password on pages of their own, and one to spare. */
const MOST_FORMS = 3;

/** Resolves with the page that was asked for. @throws Error that names the cure. */
export async function signIn(browser: Browser, { url, username, password }: SignInOptions): Promise<Answer> {
  const isBack = (page: Answer) => new URL(page.url).origin === new URL(url).origin;
  let page = await browser.open(url);
  let isPasswordSent = false;
  for (let forms = 0; !isBack(page); forms++) {
    const form = signInForm(page);
    if (form === undefined || forms === MOST_FORMS) throw new Error(stuck(page, username));
    const asksPassword = Object.hasOwn(form.fields, 'password');
    if (asksPassword && isPasswordSent) throw new Error(refusal(username));
    const given = { ...form.fields, username, ...(asksPassword && { password }) };
    isPasswordSent ||= asksPassword;
    page = await browser.open(form.action, given);
  }
  if (page.status < 400) return page;
  const answered = `${page.url.split('?', 1)[0]} was answered ${page.status}`;
  if (!isPasswordSent) {
    throw new Error(`the gate sends nobody to the provider: ${answered}; its /readyz on the admin listener says why`);
  }
  throw new Error(`${username} has signed in, and ${answered}: ${cureOf(page.status)}`);
}

function signInForm({ body, url }: Answer): HtmlForm | undefined {
  return formsOf(body, url).find(
    ({ fields }) => Object.hasOwn(fields, 'username') || Object.hasOwn(fields, 'password'),
  );
}

function refusal(username: string): string {
  return `the provider refuses ${username}: the password is wrong, or the user is disabled or locked out for a while`;
}

/** Why there is no form that a user name and a password could answer. */
function stuck(page: Answer, username: string): string {
  const { pathname, searchParams } = new URL(page.url);
  const fields = formsOf(page.body, page.url).flatMap((form) => Object.keys(form.fields));
  const mentions = (text: string) => pathname.includes(text) || page.body.includes(text);
  if (mentions('required-action')) {
    const action = searchParams.get('execution') ?? 'a required action';
    return `the provider has something for ${username} to do first (${action}); sign in once by hand, or take it off the user`;
  }
  if (fields.some((name) => ['otp', 'totp'].includes(name))) {
    return `the provider asks ${username} for a one-time password; take a test user without one`;
  }
  if (mentions('login-actions/consent')) {
    return `the provider asks ${username} for consent; sign in once by hand and grant it, or switch "Consent required" off for the client`;
  }
  const text =
    /id="kc-error-message"[^>]*>(.*?)<\/(?:div|p)>/is.exec(page.body)?.[1] ??
    /<title>(.*?)<\/title>/is.exec(page.body)?.[1] ??
    '';
  const said = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
  return `signing in stops at ${page.url.split('?', 1)[0]}, which was answered ${page.status} ("${said}") and has no form for a user name and a password`;
}

function cureOf(status: number): string {
  if (status === 403) return 'the user may not see that page; choose another one with --path, or another user';
  if (status === 404) return 'the application has no such page; choose another one with --path';
  return "see the gate's log";
}
