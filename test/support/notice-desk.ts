// A session desk that takes notices whose "signature" is that they are the JSON of what they say.

import assert from 'node:assert/strict';
import { GatewayError } from '../../src/base/gateway-error.ts';
import { createReceiveNotice, type NoticeAnswer } from '../../src/logout/receive-notice.ts';
import { ADMIN_ACTIONS, type AdminActionKind } from '../../src/logout/understand-admin-action.ts';
import type { AdminAction } from '../../src/oidc/verify-admin-action.ts';
import type { LogoutToken } from '../../src/oidc/verify-logout-token.ts';
import type { StoredSession } from '../../src/session/session-record.ts';
import { SessionDesk } from './session-desk.ts';
import { ISSUER } from './session-records.ts';

export class NoticeDesk extends SessionDesk {
  /** What the check of the next token waits for, as if keys had to be fetched. */
  keys: Promise<void> | undefined;
  readonly suspected: string[] = [];
  #serial = 0;
  readonly #receive = createReceiveNotice({
    verifyLogoutToken: async (jwt) => (await this.#open(jwt)) as unknown as LogoutToken,
    verifyAdminAction: async (jwt, expected) => {
      const { action, ...says } = await this.#open(jwt);
      assert.equal(action, expected);
      return says as unknown as AdminAction;
    },
    endSessions: (selector, cause) => this.ending.endSessions(selector, cause),
    clock: this.clock,
    emit: (event) => this.events.push(event),
    suspectSiblings: (issuer, sub) => this.suspected.push(`${issuer} ${sub}`),
  });

  /** This second, by a provider whose clock is ours. */
  second(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  token(says: Partial<LogoutToken>): string {
    return JSON.stringify({ issuer: ISSUER, issuedAtSeconds: this.second(), jti: `jti-${++this.#serial}`, ...says });
  }

  send(token: string): Promise<NoticeAnswer> {
    const body = Buffer.from(new URLSearchParams({ logout_token: token }).toString());
    return this.#receive({ kind: 'backchannel', contentType: 'application/x-www-form-urlencoded', body });
  }

  notify(says: Partial<LogoutToken>): Promise<NoticeAnswer> {
    return this.send(this.token(says));
  }

  action(kind: AdminActionKind, says: Partial<AdminAction>): string {
    return JSON.stringify({
      action: ADMIN_ACTIONS[kind],
      issuer: ISSUER,
      clientId: 'wiki-gate',
      id: `id-${++this.#serial}`,
      expiresAtSeconds: this.second() + 30,
      notBeforeSeconds: 0,
      ...says,
    });
  }

  post(kind: AdminActionKind, body: string): Promise<NoticeAnswer> {
    return this.#receive({ kind, contentType: 'text/plain; charset=ISO-8859-1', body: Buffer.from(body) });
  }

  order(kind: AdminActionKind, says: Partial<AdminAction> = {}): Promise<NoticeAnswer> {
    return this.post(kind, this.action(kind, says));
  }

  alive(...sessions: StoredSession[]): boolean[] {
    return sessions.map((session) => this.isAlive(session));
  }

  async #open(jwt: string): Promise<Record<string, unknown>> {
    await this.keys;
    if (!jwt.startsWith('{')) throw new GatewayError('notice_refused', { status: 400, message: 'no such key' });
    return JSON.parse(jwt) as Record<string, unknown>;
  }
}
