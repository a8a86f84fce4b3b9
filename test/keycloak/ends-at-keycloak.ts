// The ends that begin at Keycloak or at another application and of which the gate is told by a logout token, as data
// (design: what ends a session, triggers). Each has a user of its own, so that all can be played at the same time.

import type { BrowserClient } from '../support/browser-client.ts';
import { PASSWORD } from './keycloak-realm.ts';
import { signOutInAccountConsole } from './second-app.ts';
import type { Stage } from './stage.ts';

export interface Cast {
  readonly stage: Stage;
  /** The browser whose session is to end, and that session's name in Keycloak. */
  readonly browser: BrowserClient;
  readonly sid: string;
  /** The same user in another browser, with an SSO session of its own. */
  readonly otherBrowser: BrowserClient;
}

export interface EndAtKeycloak {
  readonly title: string;
  readonly user: string;
  /** What it means for the same user's other browser. */
  readonly otherBrowser: 'lives' | 'ends';
  /** What has to be done before; returns the end itself. */
  prepare(cast: Cast): Promise<() => Promise<unknown>>;
}

export const ENDS_AT_KEYCLOAK: readonly EndAtKeycloak[] = [
  {
    title: 'logout at a second application',
    user: 'end-1',
    otherBrowser: 'lives',
    prepare: async ({ stage: { issuer, secondApp }, browser }) => {
      const { idToken } = await secondApp.signIn(browser, issuer);
      return () => secondApp.signOut(browser, { issuer, idToken });
    },
  },
  {
    title: 'logout by the server of a second application, with its refresh token',
    user: 'end-2',
    otherBrowser: 'lives',
    prepare: async ({ stage: { issuer, secondApp }, browser }) => {
      const { refreshToken } = await secondApp.signIn(browser, issuer);
      return () => secondApp.logoutByServer({ issuer, refreshToken });
    },
  },
  {
    title: '"sign out" of one session in the admin console',
    user: 'end-3',
    otherBrowser: 'lives',
    prepare: async ({ stage: { keycloak, realm }, sid }) => {
      return () => keycloak.admin.deleteSession(realm, sid);
    },
  },
  {
    title: '"sign out" of one device in the account console',
    user: 'end-4',
    otherBrowser: 'lives',
    prepare: async ({ stage: { issuer, secondApp }, otherBrowser, sid }) => {
      const { accessToken } = await secondApp.signIn(otherBrowser, issuer);
      return () => signOutInAccountConsole({ issuer, accessToken }, sid);
    },
  },
  {
    title: '"sign out all other devices" in the account console',
    user: 'end-5',
    otherBrowser: 'lives',
    prepare: async ({ stage: { issuer, secondApp }, otherBrowser }) => {
      const { accessToken } = await secondApp.signIn(otherBrowser, issuer);
      return () => signOutInAccountConsole({ issuer, accessToken });
    },
  },
  {
    title: 'a new password with "sign out from other devices"',
    user: 'end-7',
    otherBrowser: 'lives',
    prepare: async ({ stage: { issuer, secondApp }, otherBrowser }) => {
      const form = await secondApp.changePassword(otherBrowser, issuer);
      const choice = { 'password-new': PASSWORD, 'password-confirm': PASSWORD, 'logout-sessions': 'on' };
      return () => otherBrowser.submit(form, choice, 'required-action');
    },
  },
  {
    title: '"sign out" of a user with two sessions in the admin console',
    user: 'end-6',
    otherBrowser: 'ends',
    prepare: async ({ stage: { keycloak, realm } }) => {
      return () => keycloak.admin.logoutUser(realm, 'end-6');
    },
  },
];

/** The users of the table. */
export const ENDING_USERS = ENDS_AT_KEYCLOAK.map(({ user }) => user);
