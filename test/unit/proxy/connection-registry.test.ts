// The connection registry.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ConnectionKind,
  ConnectionRegistry,
  type LiveConnection,
  type Owner,
} from '../../../src/proxy/connection-registry.ts';
import type { Farewell } from '../../../src/proxy/farewell.ts';

class FakeConnection implements LiveConnection {
  tag: unknown = undefined;
  readonly kind: ConnectionKind;
  readonly owner: Owner;
  backlog = false;
  cuts: (Farewell | undefined)[] = [];
  onCut: () => void = () => this.owner.delete(this);

  constructor(owner: Owner, kind: ConnectionKind = 'request') {
    this.owner = owner;
    this.kind = kind;
    owner.add(this);
  }

  hasBacklog(): boolean {
    return this.backlog;
  }

  cut(farewell?: Farewell): void {
    this.cuts.push(farewell);
    this.onCut();
  }
}

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('the connection registry', () => {
  test('an owner is the same for the same key while it has connections', () => {
    const registry = new ConnectionRegistry();
    const owner = registry.owner('a');
    new FakeConnection(owner);
    assert.equal(registry.owner('a'), owner);
    assert.equal(registry.find('a'), owner);
    assert.equal(registry.find('b'), undefined);
  });

  test('an owner without connections is forgotten', () => {
    const registry = new ConnectionRegistry();
    const connection = new FakeConnection(registry.owner('a'));
    assert.equal(registry.isLive('a'), true);
    connection.owner.delete(connection);
    assert.equal(registry.isLive('a'), false);
    assert.equal(registry.find('a'), undefined);
    registry.owner('b').release();
    assert.deepEqual([...registry.list()], []);
  });

  test('counts are kept by kind, by owner and in all', () => {
    const registry = new ConnectionRegistry();
    new FakeConnection(registry.owner('a'), 'websocket');
    new FakeConnection(registry.owner('a'), 'stream');
    new FakeConnection(registry.owner('b'), 'request');
    new FakeConnection(registry.anonymous, 'request');
    assert.deepEqual(registry.find('a')?.counts(), { requests: 0, streams: 1, websockets: 1 });
    assert.deepEqual(registry.totals(), { requests: 2, streams: 1, websockets: 1 });
    assert.deepEqual(
      [...registry.list()].map(({ key, size }) => [key, size]),
      [
        ['a', 2],
        ['b', 1],
        ['', 1],
      ],
    );
  });

  test('the stop sets the flag, takes the owner out of the table, and touches no connection', () => {
    const registry = new ConnectionRegistry();
    const connection = new FakeConnection(registry.owner('a'));
    const stopped = registry.stop('a');
    assert.equal(stopped?.stopped, true);
    assert.equal(registry.find('a'), undefined);
    assert.deepEqual(connection.cuts, []);
    assert.equal(registry.stop('a'), undefined);
    assert.equal(registry.owner('a').stopped, false, 'a later owner of the same key is another one');
  });

  test('the stop costs the same for one connection and for a hundred thousand', () => {
    const registry = new ConnectionRegistry();
    for (let i = 0; i < 100_000; i++) new FakeConnection(registry.owner('many'));
    new FakeConnection(registry.owner('few'));
    registry.stop('few');
    const began = performance.now();
    registry.stop('many');
    assert.ok(performance.now() - began < 1, 'under a millisecond');
  });

  test('connections with queued bytes are cut before the close returns, and before all others', async () => {
    const registry = new ConnectionRegistry();
    const owner = registry.owner('a');
    const order: string[] = [];
    for (let i = 0; i < 20; i++) {
      const connection = new FakeConnection(owner);
      connection.backlog = i % 10 === 9;
      connection.onCut = () => {
        order.push(connection.backlog ? 'queued' : 'quiet');
        burn(0.5);
        owner.delete(connection);
      };
    }
    registry.stop('a');
    const closing = registry.close([owner]);
    assert.deepEqual(order.slice(0, 2), ['queued', 'queued']);
    assert.ok(order.length < 20, 'the rest has to wait');
    await closing;
  });

  test('other work runs between slices, and no slice is longer than 10 ms', async () => {
    const registry = new ConnectionRegistry();
    const owner = registry.owner('a');
    for (let i = 0; i < 200; i++) {
      const connection = new FakeConnection(owner);
      connection.onCut = () => {
        burn(0.2);
        owner.delete(connection);
      };
    }
    let cutSince = 0;
    let longest = 0;
    let turns = 0;
    const originalDelete = owner.delete.bind(owner);
    owner.delete = (connection) => {
      cutSince++;
      originalDelete(connection);
    };
    const watch = (): void => {
      longest = Math.max(longest, cutSince);
      cutSince = 0;
      turns++;
      if (owner.size > 0) setImmediate(watch);
    };
    setImmediate(watch);
    registry.stop('a');
    await registry.close([owner]);
    assert.ok(turns >= 5, `${turns} turns`);
    assert.ok(longest * 0.2 <= 10, `${longest} cuts in one slice`);
  });

  test('the close resolves when everything is closed, with what was live when it began', async () => {
    const registry = new ConnectionRegistry();
    const owner = registry.owner('a');
    const slow = new FakeConnection(owner, 'websocket');
    slow.onCut = () => {};
    new FakeConnection(owner, 'stream');
    registry.stop('a');
    let resolved = false;
    const closing = registry.close([owner]).then((counts) => {
      resolved = true;
      return counts;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(resolved, false);
    owner.delete(slow);
    assert.deepEqual(await closing, { requests: 0, streams: 1, websockets: 1 });
  });

  test('what is no longer allowed is cut by its tag, and the rest of its owner goes on', async () => {
    const registry = new ConnectionRegistry();
    const owner = registry.owner('a');
    const stays = new FakeConnection(owner);
    const goes = new FakeConnection(owner);
    stays.tag = 'allowed';
    goes.tag = 'refused';
    registry.recheck('a', (tag) => tag === 'allowed');
    registry.recheck('nobody', () => false);
    while (goes.cuts.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(stays.cuts, []);
    assert.equal(owner.stopped, false);
    assert.equal(owner.size, 1);
  });

  test('shutting down says going away to everyone, anonymous connections included', async () => {
    const registry = new ConnectionRegistry();
    const mine = new FakeConnection(registry.owner('a'), 'websocket');
    const nobodys = new FakeConnection(registry.anonymous, 'websocket');
    let drained = false;
    void registry.drained().then(() => {
      drained = true;
    });
    assert.deepEqual(await registry.shutDown(), { requests: 0, streams: 0, websockets: 2 });
    for (const { cuts, owner } of [mine, nobodys]) {
      assert.deepEqual(cuts, [{ code: 1001, reason: 'going away' }]);
      assert.equal(owner.stopped, true);
    }
    await registry.drained();
    assert.equal(drained, true);
  });
});
