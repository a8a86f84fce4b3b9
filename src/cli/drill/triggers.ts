// How the drill has a session ended: each way that Keycloak offers, and the two that need no administrator.

import { setTimeout as delay } from 'node:timers/promises';
import type { KeycloakAdmin } from '../../keycloak/keycloak-admin.ts';
import type { Browser } from '../browser/browser.ts';

/** Where an end is prepared: the test user is signed in. */
export interface EndScene {
  readonly browser: Browser;
  readonly username: string;
  /** The public origin and the gate's own prefix on it. */
  readonly gateUrl: string;
  /** The provider's `end_session_endpoint`. */
  readonly findEndSessionUrl: () => Promise<string | undefined>;
  readonly clientId: string;
  /** There wherever `needs` says so. */
  readonly admin: KeycloakAdmin | undefined;
  /** The sessions that the user had at Keycloak before this sign-in. */
  readonly formerSids: readonly string[];
}

export interface Trigger {
  readonly name: string;
  readonly summary: string;
  readonly needs: 'nothing' | 'administrator';
  readonly ends: 'the session' | "all of the user's sessions" | "everybody's sessions";
  prepare(scene: EndScene): Promise<PreparedEnd>;
}

/** An end before which nothing is left to do. */
export interface PreparedEnd {
  /** Resolves when it has been answered. */
  end(): Promise<unknown>;
  /** Where the user's way goes on from there; it no longer counts. */
  after?(): Promise<unknown>;
}

/** Revocation refuses what is older than a second, in whole seconds. */
const OLDER_THAN_A_SECOND_MS = 1_100;

export const TRIGGERS: readonly Trigger[] = [
  {
    name: 'logout-elsewhere',
    summary: 'the user logs out at the provider, as at any other application',
    needs: 'nothing',
    ends: 'the session',
    prepare: logoutElsewhere,
  },
  {
    name: 'logout-here',
    summary: 'the user logs out at the gate',
    needs: 'nothing',
    ends: 'the session',
    prepare: logoutHere,
  },
  {
    name: 'admin-sign-out',
    summary: 'an administrator signs this session out',
    needs: 'administrator',
    ends: 'the session',
    prepare: async (scene) => {
      const sid = await ownSid(scene);
      return { end: () => scene.admin!.endSession(sid) };
    },
  },
  {
    name: 'admin-sign-out-user',
    summary: 'an administrator signs the user out',
    needs: 'administrator',
    ends: "all of the user's sessions",
    prepare: async ({ admin, username }) => {
      const userId = await admin!.userId(username);
      return { end: () => admin!.endSessionsOf(userId) };
    },
  },
  {
    name: 'admin-sign-out-all',
    summary: 'an administrator signs out all active sessions of the realm',
    needs: 'administrator',
    ends: "everybody's sessions",
    prepare: async ({ admin }) => ({ end: () => admin!.endAllSessions() }),
  },
  {
    name: 'admin-revocation',
    summary: "an administrator revokes the tokens of the gate's client and pushes that",
    needs: 'administrator',
    ends: "everybody's sessions",
    prepare: async ({ admin, clientId }) => {
      await delay(OLDER_THAN_A_SECOND_MS);
      return { end: () => admin!.revokeTokensOf(clientId, Math.floor(Date.now() / 1000)) };
    },
  },
];

/** Without an ID token for a hint the provider asks first; the answer to its question is the end. */
async function logoutElsewhere({ browser, findEndSessionUrl }: EndScene): Promise<PreparedEnd> {
  const endSessionUrl = await findEndSessionUrl();
  if (endSessionUrl === undefined) throw new Error('the provider has no end_session_endpoint to log out at');
  const question = await browser.open(endSessionUrl);
  // The button's name at Keycloak, and at oidc-provider.
  return { end: () => browser.submit(question, { confirmLogout: 'yes', logout: 'yes' }, 'confirm') };
}

async function logoutHere({ browser, gateUrl }: EndScene): Promise<PreparedEnd> {
  const address = `${gateUrl}/logout`;
  let location = '';
  return {
    async end() {
      const answer = await browser.ask(address, { as: 'page', form: {} });
      if (answer.location === undefined) throw new Error(`${address} was answered ${answer.status}`);
      location = answer.location;
    },
    // The session at the provider ends there.
    after: () => browser.open(location),
  };
}

async function ownSid({ admin, username, formerSids }: EndScene): Promise<string> {
  const sids = await admin!.sessionsOf(await admin!.userId(username));
  const [sid, ...others] = sids.filter((each) => !formerSids.includes(each));
  if (sid !== undefined && others.length === 0) return sid;
  throw new Error(
    `${username} has ${others.length + (sid === undefined ? 0 : 1)} new sessions at Keycloak where there should be one; ` +
      'take a test user whom nobody else uses',
  );
}
