// The second half of a logout: where the browser goes so that the provider ends its session too, and what the user is told
// where that cannot be (OpenID Connect RP-Initiated Logout 1.0; security catalogue LOGOUT-03, LOGOUT-05).

import { claimAt, textsOf } from '../access/claim-path.ts';
import { type EndSessionStep, endSessionStep } from '../oidc/end-session-step.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { EndpointParts } from './gate-context.ts';
import type { LogoutOutcome } from './logout-states.ts';
import type { PublicRequest } from './public-request.ts';

export interface LogoutWish {
  /** Absolute URL on our own origin, already checked; undefined: nowhere in particular. */
  readonly returnTo: string | undefined;
  /** Languages that the request itself asked for. */
  readonly uiLocales: string | undefined;
}

/** Somebody waits for the page; with the timer's coarseness it comes within a second. */
const REACH_MS = 600;

/**
 * The step for a browser whose `session` has ended here; without one the provider is asked all the same, since its own
 * session may still live. A browser that were sent to a provider that is down would see an error of its own and nothing of
 * ours, so the provider is asked first whether it is there: otherwise our page tells the truth, and the gate goes on trying to
 * end the provider's session by itself, in the background. Never rejects.
 */
export async function providerLogout(
  parts: EndpointParts,
  { publicUrl, snapshot }: PublicRequest,
  { session, returnTo, uiLocales }: LogoutWish & { readonly session: StoredSession | undefined },
): Promise<EndSessionStep> {
  const { provider, logoutStates, logoutOptions } = parts;
  const record = session?.record;
  const ownPage = `${publicUrl.origin}${snapshot.prefix}/logged-out`;
  const state = (outcome: LogoutOutcome) => logoutStates.seal({ outcome, returnTo });
  const tell = (outcome: LogoutOutcome): EndSessionStep => ({
    kind: 'redirect',
    url: `${ownPage}?state=${state(outcome)}`,
  });
  const configuration = await provider.reach(REACH_MS);
  if (session !== undefined) inBackground(parts, session, configuration === undefined ? 'nobody' : 'the browser');
  if (configuration === undefined) return tell('unreachable');
  const { hintClaim, initiatingIdp, postLogoutRedirectUri = ownPage } = logoutOptions;
  const step = endSessionStep(provider.options, configuration, {
    postLogoutRedirectUri,
    state: state(record === undefined ? 'no session' : 'sent'),
    uiLocales: uiLocales ?? provider.options.authorizationParams['ui_locales'],
    initiatingIdp,
    logoutHint: hintClaim && record && textsOf(claimAt(record.claims, hintClaim))[0],
    // A program's session has none.
    idToken: record?.tokens.idToken || undefined,
  });
  return step ?? tell('not offered');
}

/** Beside the browser's own visit the refresh token is revoked, because many never arrive there. */
function inBackground(
  { endAtProvider, logoutOptions }: EndpointParts,
  session: StoredSession,
  whoGoes: 'the browser' | 'nobody',
): void {
  const isAsked = whoGoes === 'nobody' || logoutOptions.revokeTokens;
  const atProvider = whoGoes === 'nobody' ? 'end_session' : 'revoke_token';
  if (isAsked) void endAtProvider([session], { reason: 'logout', atProvider });
}
