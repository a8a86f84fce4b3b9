// The relay of a logout to an application that does not answer: bounded in attempts and in time, and told.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GateEvent } from '../../../src/base/events.ts';
import { createRelayLogout, type Relay } from '../../../src/logout/relay-logout.ts';
import { UrlCaller } from '../../../src/logout/url-caller.ts';
import type { JarStore } from '../../../src/session/jar-store.ts';
import { MemoryJarStore } from '../../../src/session/memory-jar-store.ts';
import { ManualClock, settled } from '../../support/manual-clock.ts';
import { SessionDesk } from '../../support/session-desk.ts';

type Answer = () => Promise<Response>;

/** One route's relay, and an application that answers as it is told. */
class Desk {
  readonly clock = new ManualClock();
  readonly sessions = new SessionDesk();
  readonly failures: Extract<GateEvent, { event: 'relay.failed' }>[] = [];
  calls = 0;
  answer: Answer = async () => new Response(null, { status: 503 });

  relay(jars: JarStore | undefined = new MemoryJarStore(), hasJar = true) {
    const fetch = (() => {
      this.calls++;
      return this.answer();
    }) as typeof globalThis.fetch;
    const relay: Relay = {
      route: 'wiki',
      url: 'http://wiki/logout',
      method: 'POST',
      hasJar,
      caller: new UrlCaller({ fetch, clock: this.clock, timers: this.clock }),
      serves: () => true,
      headersFor: async () => [{ Cookie: 'a=1' }],
    };
    const emit = (event: GateEvent) => {
      if (event.event === 'relay.failed') this.failures.push(event);
    };
    return createRelayLogout({ relays: [relay], jars, clock: this.clock, emit });
  }
}

/** Runs the clock until `done`, in steps of a second. */
async function pass(clock: ManualClock, done: Promise<void>): Promise<number> {
  let over = false;
  void done.then(() => {
    over = true;
  });
  let seconds = 0;
  for (await settled(); !over; seconds++) {
    clock.advance(1_000);
    await settled();
  }
  return seconds;
}

describe('a relay to an application that does not take it', () => {
  it('is tried a few times within a minute, and then it is told', async () => {
    const desk = new Desk();
    const seconds = await pass(desk.clock, desk.relay()([desk.sessions.signIn()], { reason: 'operator' }));
    assert.equal(desk.calls, 4);
    assert.ok(seconds <= 60, `${seconds} s`);
    assert.deepEqual(
      desk.failures.map(({ route, attempts, why }) => [route, attempts, why]),
      [['wiki', 4, 'it answered 503']],
    );
  });

  it('of thousands of sessions comes to an end in minutes, each of them told', async () => {
    const desk = new Desk();
    const sessions = Array.from({ length: 3_000 }, () => desk.sessions.signIn());
    const seconds = await pass(desk.clock, desk.relay()(sessions, { reason: 'operator' }));
    assert.equal(desk.failures.length, 3_000);
    assert.ok(seconds < 400, `${seconds} s`);
    assert.ok(desk.failures.some(({ attempts, why }) => attempts === 0 && why === 'its turn came too late'));
  });

  it('of sessions whose cookies cannot be read is told, and the others are called', async () => {
    const desk = new Desk();
    desk.answer = async () => new Response(null, { status: 204 });
    const [broken, whole] = [desk.sessions.signIn(), desk.sessions.signIn()];
    const jars = new MemoryJarStore();
    const failing: JarStore = {
      read: (...facts) => jars.read(...facts),
      write: (...facts) => jars.write(...facts),
      takeOut: (session) => (session === broken ? Promise.reject(new Error('down')) : jars.takeOut(session)),
    };
    await desk.relay(failing)([broken, whole], { reason: 'operator' });
    assert.equal(desk.calls, 1);
    assert.deepEqual(
      desk.failures.map(({ session }) => session),
      [broken.record.handle],
    );
    // An application that keeps its cookies in the browser has none to be read.
    await desk.relay(failing, false)([broken], { reason: 'operator' });
    assert.deepEqual([desk.calls, desk.failures.length], [2, 1]);
  });
});
