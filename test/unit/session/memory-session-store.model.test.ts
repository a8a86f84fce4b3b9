// Random histories of the memory store beside a model that is too simple to be wrong: a list, searched from end to end.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newSessionId, type SessionId } from '../../../src/base/ids.ts';
import { MemorySessionStore } from '../../../src/session/memory-session-store.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import type { EndSelector, NotBeforeSelector } from '../../../src/session/session-store.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { aRecord, aTokenSet, ISSUER } from '../../support/session-records.ts';

const MAX_SESSIONS = 12;
const STEPS = 400;
const HISTORIES = 150;

/** One session as the model sees it; `order` is its place in the order of activity. */
interface ModelSession {
  record: SessionRecord;
  former: { id: SessionId; until: number }[];
  order: number;
  ended: boolean;
  stored: StoredSession;
}

interface ModelEnd {
  selector: EndSelector;
  arrivedAt: number;
  noticeIssuedAtSeconds: number;
}

function names(selector: EndSelector, record: SessionRecord): boolean {
  switch (selector.by) {
    case 'all':
      return true;
    case 'handle':
    case 'expired':
      return record.handle === selector.handle;
    case 'user':
      return record.user === selector.user;
    case 'sid':
      return record.issuer === selector.issuer && record.sid === selector.sid;
    case 'sub':
      return record.issuer === selector.issuer && record.sub === selector.sub;
    case 'client':
      return record.issuer === selector.issuer && record.clientId === selector.clientId;
    case 'client_tokens':
      return names({ ...selector, by: 'client' }, record) && isOlder(record, selector);
    case 'sub_tokens':
      return names({ ...selector, by: 'sub' }, record) && isOlder(record, selector);
  }
}

function isOlder({ tokens }: SessionRecord, { issuedBeforeSeconds }: NotBeforeSelector): boolean {
  return tokens.issuedAtSeconds < issuedBeforeSeconds;
}

class History {
  readonly random: () => number;
  readonly clock = new ManualClock();
  readonly evicted: StoredSession[] = [];
  readonly store = new MemorySessionStore({
    clock: this.clock,
    maxSessions: MAX_SESSIONS,
    maxSessionLifetimeMs: 1e12,
    onEvicted: (session) => this.evicted.push(session),
  });
  readonly sessions: ModelSession[] = [];
  readonly ends: ModelEnd[] = [];
  /** Code exchanges and refreshes under way, made from what was true when they began. */
  readonly logins: SessionRecord[] = [];
  readonly changes: { session: ModelSession; next: SessionRecord }[] = [];
  order = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.random() * from.length)];
  }

  live(): ModelSession[] {
    return this.sessions.filter(({ ended }) => !ended);
  }

  refused(record: SessionRecord): boolean {
    return this.ends.some(
      ({ selector, arrivedAt, noticeIssuedAtSeconds }) =>
        names(selector, record) &&
        ('issuedBeforeSeconds' in selector ||
          record.beganAt <= arrivedAt ||
          record.idTokenIssuedAtSeconds < noticeIssuedAtSeconds),
    );
  }

  /** Few names, so that sessions share them. */
  claims(): Pick<SessionRecord, 'issuer' | 'sub' | 'sid' | 'user'> {
    const sub = `sub-${Math.floor(this.random() * 4)}`;
    const sid = this.random() < 0.1 ? undefined : `sid-${Math.floor(this.random() * 6)}`;
    return { issuer: this.random() < 0.8 ? ISSUER : `${ISSUER}-2`, sub, sid, user: `${sub}@example.com` };
  }

  /** One of this second and the two before, in which everything of these histories is issued. */
  aSecond(): number {
    return Math.floor(this.store.now() / 1000) - Math.floor(this.random() * 3);
  }

  beginLogin(): void {
    const now = this.store.now();
    const idTokenIssuedAtSeconds = this.aSecond();
    const clientId = this.random() < 0.8 ? 'wiki-gate' : 'another-client';
    const tokens = aTokenSet({ issuedAtSeconds: idTokenIssuedAtSeconds });
    this.logins.push(aRecord(now, { ...this.claims(), clientId, idTokenIssuedAtSeconds, tokens }));
  }

  finishLogin(): void {
    const record = this.logins.splice(Math.floor(this.random() * this.logins.length), 1)[0];
    if (record === undefined) return;
    const full = this.live().length >= MAX_SESSIONS;
    const idlest = this.live().sort((a, b) => a.order - b.order)[0];
    const stored = this.store.create(record);
    assert.equal(stored === 'ended', this.refused(record), 'a login is refused if and only if an end says so');
    if (stored === 'ended') return;
    if (full) {
      idlest!.ended = true;
      assert.equal(this.evicted.pop(), idlest!.stored, 'the one that was idle longest goes');
    }
    this.sessions.push({ record, former: [], order: this.order++, ended: false, stored });
  }

  beginChange(): void {
    const session = this.pick(this.sessions);
    if (session === undefined) return;
    const id = this.random() < 0.5 ? newSessionId() : session.record.id;
    const { record } = session;
    const user = this.random() < 0.2 ? 'renamed@example.com' : record.user;
    const tokens = this.random() < 0.5 ? aTokenSet({ issuedAtSeconds: this.aSecond() }) : record.tokens;
    this.changes.push({ session, next: { ...record, id, user, tokens, version: record.version + 1 } });
  }

  finishChange(): void {
    const change = this.changes.splice(Math.floor(this.random() * this.changes.length), 1)[0];
    if (change === undefined) return;
    const { session, next } = change;
    const isNewId = next.id !== session.record.id;
    const outcome = isNewId ? this.store.replaceId(session.stored, next) : this.store.update(session.stored, next);
    if (session.ended) assert.equal(outcome, 'ended');
    else if (next.version !== session.record.version + 1) assert.equal(outcome, 'changed');
    else if (this.refused(next)) assert.equal(outcome, 'ended');
    else {
      assert.equal(outcome, 'updated');
      if (isNewId) {
        session.former.push({ id: session.record.id, until: this.store.now() + 30_000 });
        session.order = this.order++;
      }
      session.record = next;
    }
  }

  touch(): void {
    const session = this.pick(this.sessions);
    if (session === undefined) return;
    this.store.touch(session.stored);
    if (!session.ended) session.order = this.order++;
  }

  end(): void {
    const { issuer, sid, sub, user } = this.claims();
    const handle = this.pick(this.sessions)?.record.handle ?? 's_none';
    const selectors: EndSelector[] = [
      { by: 'handle', handle },
      { by: 'sub', issuer, sub },
      { by: 'user', user },
      { by: 'sid', issuer, sid: sid ?? 'none' },
      { by: 'sid', issuer, sid: sid ?? 'none' },
    ];
    const noticeIssuedAtSeconds = this.aSecond();
    const client = { issuer, clientId: this.random() < 0.5 ? 'wiki-gate' : 'another-client' };
    const issuedBeforeSeconds = this.aSecond();
    const sweeping: EndSelector[] = [
      { by: 'all' },
      { by: 'client', ...client },
      { by: 'client_tokens', ...client, issuedBeforeSeconds },
      { by: 'sub_tokens', issuer, sub, issuedBeforeSeconds },
    ];
    const selector: EndSelector = this.pick(this.random() < 0.1 ? sweeping : selectors)!;
    const expected = this.live().filter(({ record }) => names(selector, record));
    const before = this.store.now();
    const ended = this.store.end(selector, noticeIssuedAtSeconds);
    this.ends.push({ selector, arrivedAt: before, noticeIssuedAtSeconds });
    assert.deepEqual(new Set(ended), new Set(expected.map(({ stored }) => stored)));
    assert.equal(ended.length, expected.length);
    for (const session of expected) session.ended = true;
  }

  check(): void {
    const live = this.live();
    assert.equal(this.store.size(), live.length);
    const listed = this.store.list({}, 1_000, undefined).sessions;
    assert.deepEqual(
      listed,
      live.map(({ stored }) => stored),
    );
    for (const { record, former, ended, stored } of this.sessions) {
      assert.equal(stored.ended, ended);
      assert.equal(this.store.find(record.id), ended ? undefined : stored);
      if (!ended) assert.equal(stored.record, record);
      for (const { id, until } of former) {
        const found = this.store.find(id);
        if (ended || this.store.now() >= until) assert.equal(found, undefined);
        else assert.equal(found, stored);
      }
    }
  }

  run(): void {
    const steps = [
      () => this.beginLogin(),
      () => this.beginLogin(),
      () => this.finishLogin(),
      () => this.finishLogin(),
      () => this.beginChange(),
      () => this.finishChange(),
      () => this.touch(),
      () => this.end(),
      () => this.clock.advance(Math.floor(this.random() * 8_000)),
    ];
    for (let step = 0; step < STEPS; step++) {
      this.pick(steps)!();
      this.check();
    }
  }
}

it('random histories end, refuse, find and list as the model says', () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    try {
      new History(seed).run();
    } catch (error) {
      throw new Error(`the history of seed ${seed} differs from the model`, { cause: error });
    }
  }
});
