// A front-channel logout: the provider's page loads our address in a frame (OpenID Connect Front-Channel Logout 1.0; design:
// triggers). Nothing about it is signed: knowing the `sid` is all its proof, so it ends what it names here and nothing else, and
// asks the provider for nothing.

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { errorCode } from '../base/gateway-error.ts';
import { isIdentifier } from '../oidc/token-claims.ts';
import type { SessionStore } from '../session/session-store.ts';
import { Allowance } from './allowance.ts';
import type { EndSessions } from './end-sessions.ts';

/** What the address said; a list of every value for each name. */
export interface FrontchannelNotice {
  readonly iss: readonly string[];
  readonly sid: readonly string[];
}

/** Never rejects. The same answer whether anybody was signed in or not. */
export type ReceiveFrontchannelNotice = (notice: FrontchannelNotice) => Promise<'accepted' | 'refused'>;

export interface ReceiveFrontchannelNoticeOptions {
  readonly issuer: string;
  readonly store: Pick<SessionStore, 'list'>;
  readonly endSessions: EndSessions;
  readonly clock: Clock;
  readonly emit: Emit;
}

/**
 * An end that finds nobody is remembered all the same, for the sign-in that is just exchanging its code. Whoever makes sids
 * up must not fill that memory: beyond so many, what finds nobody is forgotten, and such a sign-in is left to the next check
 * with the provider. At this rate it is 14 400 ends of some 200 bytes a day, for as long as the longest session may live.
 */
const UNKNOWN = { most: 100, oneMoreEveryMs: 6_000 };

/** Builds the receiver. */
export function createReceiveFrontchannelNotice(options: ReceiveFrontchannelNoticeOptions): ReceiveFrontchannelNotice {
  const { issuer, store, endSessions, clock, emit } = options;
  const kind = 'frontchannel';
  const unknown = new Allowance({ clock, ...UNKNOWN });
  return async (notice) => {
    const receivedAtMonotonicMs = clock.monotonicMs();
    try {
      const why = troubleOf(notice, issuer);
      if (why !== undefined) return refuse(why);
      const sid = notice.sid[0]!;
      const cause = { reason: 'frontchannel_logout', notice: kind, receivedAtMonotonicMs } as const;
      const ended = (await isWorthAnEnd(sid)) ? (await endSessions({ by: 'sid', issuer, sid }, cause)).count : 0;
      emit({ event: 'notice.accepted', kind, sub: undefined, sid, ended });
      return 'accepted';
    } catch (error) {
      return refuse(errorCode(error));
    }
  };

  async function isWorthAnEnd(sid: string): Promise<boolean> {
    try {
      const { sessions } = await store.list({ sid }, 1, undefined);
      return sessions.length > 0 || unknown.take();
    } catch (error) {
      // Without the store nobody knows; what is held here stops all the same.
      if (unknown.take()) return true;
      throw error;
    }
  }

  function refuse(why: string): 'refused' {
    emit({ event: 'notice.refused', kind, why });
    return 'refused';
  }
}

/** Why a notice ends nobody; undefined for one that names a session. */
function troubleOf({ iss, sid }: FrontchannelNotice, issuer: string): string | undefined {
  if (iss.length !== 1 || sid.length !== 1) {
    return iss.length === 0 && sid.length === 0
      ? 'it names no session: the provider must send iss and sid (Keycloak: "Front-channel logout session required")'
      : 'it does not have exactly one iss and one sid';
  }
  if (iss[0] !== issuer) return 'its iss is another one';
  return isIdentifier(sid[0]) ? undefined : 'its sid cannot be one';
}
