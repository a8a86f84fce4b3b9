// From a finished sign-in to a session (design: decided cases, a sign-in over a live session; never undone).

import type { SessionHandle, SessionId } from '../base/ids.ts';
import type { SignedIn } from '../oidc/finish-login.ts';
import { newSessionRecord } from '../session/new-session-record.ts';
import type { SessionRecord, StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { EndSessions } from './end-sessions.ts';
import { honourNotBefore } from './honour-not-before.ts';

export interface SignIn {
  readonly signedIn: SignedIn;
  /** Store time, read before the code was exchanged. */
  readonly beganAt: number;
  /** The new session's, made for this sign-in. */
  readonly id: SessionId;
  /** The same; a live session that this sign-in goes on with keeps its own. */
  readonly handle: SessionHandle;
  /** The live session that the browser's cookie named when the sign-in came back. */
  readonly current: StoredSession | undefined;
  /** The user was asked nothing: a session that this goes on with gets no older by it, and its absolute timeout stays. */
  readonly isSilent?: boolean;
  /** Of the cookie that the new session's id goes into; undefined: one of a whole domain. */
  readonly cookieHost: string | undefined;
  /** What the provider was asked for (`acr_values`) and did not give; undefined where it gave it. */
  readonly refusedAcr: readonly string[] | undefined;
  readonly address: string;
  readonly userAgent: string;
}

/**
 * Makes a finished sign-in a session. Over a live session of the same (iss, sub, sid) it takes that one's place under the
 * new id and cuts nothing; the absolute timeout counts from this sign-in (a silent one aside), since the user would get as
 * much by waiting for the old one to end. Any other session of the browser ends first.
 *
 * 'ended': a logout arrived while the code was being exchanged, or the session went about which a silent sign-in asked. Nothing
 * is left of the sign-in, no cookie may be sent.
 * @throws GatewayError `store_unavailable`
 */
export type AdmitSignIn = (signIn: SignIn) => Promise<StoredSession | 'ended'>;

export interface AdmitSignInOptions {
  readonly store: SessionStore;
  readonly endSessions: EndSessions;
  readonly clientId: string;
  /** Told of each session in the tick of its admission, so that its deadlines begin. */
  readonly watch: (session: StoredSession) => void;
  /** Told of a session on a sid that ended a moment ago: the provider may not have finished ending it. */
  readonly suspect?: (session: StoredSession) => void;
}

/** Keycloak's session lives on while it notifies its other clients, up to 5 s each, and can be signed in to meanwhile. */
const SUSPECT_AFTER_AN_END_MS = 120_000;

/** Builds the last step of the callback. */
export function createAdmitSignIn(options: AdmitSignInOptions): AdmitSignIn {
  return async ({ signedIn, current, isSilent, ...facts }) => {
    const { store, clientId } = options;
    const made = newSessionRecord({ ...facts, ...signedIn, sid: signedIn.sid, clientId, now: await store.now() });
    // Nobody asked to be signed in: whatever ended the session that was asked about ends this too.
    if (isSilent === true && current?.ended) return 'ended';
    const goesOn = isSilent === true && current !== undefined && isSameSsoSession(current.record, made);
    const record = goesOn ? { ...made, ...unsaid(current.record) } : made;
    const session = await admit(options, record, current);
    if (session === 'ended') return session;
    if (signedIn.notBeforeSeconds !== undefined) {
      await honourNotBefore(options.endSessions, session, signedIn.notBeforeSeconds);
      if (session.ended) return 'ended';
    }
    options.watch(session);
    if (await endedLately(store, made)) options.suspect?.(session);
    // A logout may have come while the store was asked.
    return session.ended ? 'ended' : session;
  };
}

/** What a sign-in that asked its user nothing says nothing about. */
function unsaid({ createdAt, refusedAcr }: SessionRecord): Pick<SessionRecord, 'createdAt' | 'refusedAcr'> {
  return { createdAt, refusedAcr };
}

async function endedLately(store: SessionStore, { issuer, sid, createdAt }: SessionRecord): Promise<boolean> {
  const endedAt = sid === undefined ? undefined : await store.lastEndOf(issuer, sid);
  return endedAt !== undefined && createdAt - endedAt < SUSPECT_AFTER_AN_END_MS;
}

async function admit(
  { store, endSessions }: AdmitSignInOptions,
  record: SessionRecord,
  current: StoredSession | undefined,
): Promise<StoredSession | 'ended'> {
  if (current === undefined) return store.create(record);
  if (isSameSsoSession(current.record, record)) return takeOver(store, current, record);
  await endSessions({ by: 'handle', handle: current.record.handle }, { reason: 'replaced' });
  return store.create(record);
}

/** Whatever a refresh or a probe changes meanwhile: the sign-in's tokens and claims are the newest. */
async function takeOver(
  store: SessionStore,
  session: StoredSession,
  record: SessionRecord,
): Promise<StoredSession | 'ended'> {
  for (;;) {
    const { handle, version, refusedAcr: before = [] } = session.record;
    // Whoever lacks several kinds of sign-in is not sent from one to the other.
    const refusedAcr = record.refusedAcr && [...new Set([...before, ...record.refusedAcr])];
    const outcome = await store.replaceId(session, { ...record, handle, refusedAcr, version: version + 1 });
    if (outcome === 'updated') return session;
    // It ended since the cookie was read, with the code exchange under way: what ended it ends this sign-in too.
    if (outcome === 'ended') return 'ended';
  }
}

function isSameSsoSession(a: SessionRecord, b: SessionRecord): boolean {
  return a.issuer === b.issuer && a.sub === b.sub && a.sid === b.sid;
}
