// A session store as the tests of its contract see it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import type { SessionRecord, StoredSession } from '../../src/session/session-record.ts';
import type { SessionStore } from '../../src/session/session-store.ts';
import { aRecord } from '../support/session-records.ts';

export interface OpenStore {
  readonly store: SessionStore;
  /** Moves the store's clock on. */
  advance(ms: number): Promise<void> | void;
  close(): Promise<void> | void;
}

/** A store as a test sees it: signing in is one call. */
export class StoreDesk {
  readonly store: SessionStore;
  readonly advance: OpenStore['advance'];

  constructor(open: OpenStore) {
    this.store = open.store;
    this.advance = open.advance;
  }

  async record(overrides: Partial<SessionRecord> = {}): Promise<SessionRecord> {
    return aRecord(await this.store.now(), overrides);
  }

  async signIn(overrides: Partial<SessionRecord> = {}): Promise<StoredSession> {
    const session = await this.store.create(await this.record(overrides));
    assert.notEqual(session, 'ended');
    return session as StoredSession;
  }

  async lives(...ids: SessionId[]): Promise<boolean[]> {
    const found = await Promise.all(ids.map((id) => this.store.find(id)));
    return found.map((session) => session !== undefined);
  }
}

export function later(record: SessionRecord, changes: Partial<SessionRecord> = {}): SessionRecord {
  return { ...record, ...changes, version: record.version + 1 };
}

export type Open = () => Promise<OpenStore> | OpenStore;

/** Tests of the contract, each with a new and empty store that `open` makes. */
export function storeTests(open: Open): (title: string, run: (desk: StoreDesk) => Promise<void>) => void {
  return (title, run) => {
    it(title, async () => {
      const opened = await open();
      try {
        await run(new StoreDesk(opened));
      } finally {
        await opened.close();
      }
    });
  };
}
