// The pool of connections to one upstream.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { buildConnector, type Dispatcher } from 'undici';
import type { CarriedHandler, CarrierClient } from '../../../src/proxy/carrier-client.ts';
import { ClientPool } from '../../../src/proxy/client-pool.ts';
import { ok, until } from '../../support/forwarding/forwarding-test.ts';
import { answering, RecordingUpstream } from '../../support/forwarding/recording-upstream.ts';

class Exchange implements CarriedHandler {
  carrier: CarrierClient | undefined;
  first: CarrierClient | undefined;
  outcome: 'ended' | 'failed' | undefined;
  readonly #pool: ClientPool;

  constructor(pool: ClientPool, path = '/') {
    this.#pool = pool;
    pool.dispatch({ path, method: 'GET' }, this);
    this.first = this.carrier;
  }

  onRequestStart(_controller: Dispatcher.DispatchController): void {}

  onResponseStart(): void {}

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#over('ended');
  }

  onResponseError(): void {
    this.#over('failed');
  }

  #over(outcome: 'ended' | 'failed'): void {
    this.outcome = outcome;
    this.#pool.release(this.carrier!);
  }
}

async function start(
  context: TestContext,
  answer?: (connection: import('../../support/forwarding/recording-upstream.ts').UpstreamConnection) => void,
) {
  const upstream = new RecordingUpstream(answer);
  const pool = new ClientPool(await upstream.listen(), { allowH2: false, connect: buildConnector({ allowH2: false }) });
  context.after(async () => {
    await upstream.close();
    await pool.close();
  });
  return { upstream, pool };
}

describe('the pool of upstream connections', { timeout: 60_000 }, () => {
  test('takes the connection that became free last', async (t) => {
    const { pool, upstream } = await start(t);
    const exchanges = [new Exchange(pool), new Exchange(pool), new Exchange(pool)];
    for (const i of [0, 1, 2]) await (await upstream.connection(i)).untilHead();
    const byUse = [1, 0, 2];
    for (const i of byUse) {
      const connection = upstream.connections.find(
        ({ socket }) => socket.remotePort === exchanges[i]!.first!.socket!.localPort,
      )!;
      connection.write(ok('x'));
      await until(() => exchanges[i]!.outcome === 'ended');
    }
    assert.equal(new Exchange(pool).first, exchanges[2]!.first);
    assert.equal(new Exchange(pool).first, exchanges[0]!.first);
    assert.equal(new Exchange(pool).first, exchanges[1]!.first);
    assert.equal(pool.size, 3);
  });

  test('never has two exchanges on one connection', async (t) => {
    const { pool } = await start(t);
    const carriers = new Set(Array.from({ length: 50 }, () => new Exchange(pool).first));
    assert.equal(carriers.size, 50);
  });

  test('forgets a connection that closes while nobody uses it, wherever it stands', async (t) => {
    const { pool, upstream } = await start(t, answering(ok('x')));
    const exchanges = Array.from({ length: 5 }, () => new Exchange(pool));
    await until(() => exchanges.every(({ outcome }) => outcome === 'ended'));
    for (const [i, left] of [
      [2, 4],
      [4, 3],
      [0, 2],
    ] as const) {
      upstream.connections[i]!.socket.destroy();
      await until(() => pool.size === left);
    }
    const again = [new Exchange(pool), new Exchange(pool)];
    await until(() => again.every(({ outcome }) => outcome === 'ended'));
    assert.equal(pool.size, 2);
    assert.equal(upstream.connections.length, 5);
  });

  test('keeps nothing of connections that could not be made', async (t) => {
    const { pool, upstream } = await start(t);
    await upstream.close();
    const exchanges = Array.from({ length: 20 }, () => new Exchange(pool));
    await until(() => exchanges.every(({ outcome }) => outcome === 'failed'));
    await until(() => pool.size === 0);
  });

  test('a closed pool lets what is under way end, and fails what comes', async (t) => {
    const { pool, upstream } = await start(t);
    const running = new Exchange(pool);
    const connection = await (await upstream.connection()).untilHead();
    const closed = pool.close();
    const late = new Exchange(pool);
    await until(() => late.outcome === 'failed');
    connection.write(ok('x'));
    await closed;
    assert.equal(running.outcome, 'ended');
  });
});
