// Gates and stores that are killed while users sign in and out (design: everywhere; decided cases, Redis failed over or came
// back with an older state). As many sign-ins as SOAK_SIGN_INS says.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { instant } from '../support/instant.ts';
import { Crowd, type User } from './crowd.ts';
import { type Gate, GateFleet } from './gate-fleet.ts';
import { RedisServer } from './redis-server.ts';
import { SentinelTrio } from './sentinel-trio.ts';

const SCENES = 6;
const USERS = Math.ceil(Number(process.env['SOAK_SIGN_INS'] ?? 180) / SCENES);
/** So long is something gone. */
const GONE_MS = 500;
/** What a master has confirmed is on its way to its replica for less than this. */
const REPLICATED_MS = 1_000;
const REVALIDATE_MS = 3_000;

interface Scene {
  readonly fleet: GateFleet;
  readonly crowd: Crowd;
}

async function fleetOn(redis: object, session: object = {}): Promise<Scene> {
  const fleet = await GateFleet.start({
    redis: [redis, redis],
    session,
    provider: { users: Object.fromEntries(Array.from({ length: USERS }, (_, i) => [`user-${i}`, {}])) },
  });
  return { fleet, crowd: new Crowd(fleet) };
}

async function onServer(args: readonly string[], run: (scene: Scene, server: RedisServer) => Promise<void>) {
  const server = await RedisServer.start(args);
  const scene = await fleetOn({ url: server.url });
  try {
    await run(scene, server);
  } finally {
    await scene.fleet.close();
    await server.close();
  }
}

async function kill({ process }: Gate): Promise<void> {
  await process.stop('SIGKILL');
}

/** When all gates can use their store again. */
async function recovered({ gates }: GateFleet): Promise<void> {
  for (const { addresses } of gates) {
    const isReady = () => fetch(`${addresses.adminUrl}/readyz`).then(({ ok }) => ok);
    while (!(await isReady())) await sleep(20);
  }
}

/** What was ended is refused, whoever is among `living` is not. */
async function assertFates({ crowd, fleet }: Scene, living: readonly User[]): Promise<void> {
  await recovered(fleet);
  assert.ok(crowd.signedOut.length >= USERS / 15, `${crowd.signedOut.length} were signed out`);
  assert.ok(living.length >= USERS / 15, `${living.length} should live`);
  assert.deepEqual(await crowd.statuses(crowd.signedOut), new Set([401]), 'what was ended is refused');
  assert.deepEqual(await crowd.statuses(living), new Set([200]), 'nobody else is signed out');
}

describe('while users sign in and out', () => {
  test('gates are killed, one after the other', () =>
    onServer([], async (scene) => {
      const { crowd, fleet } = scene;
      const killing = async (): Promise<void> => {
        for (const [i, gate] of fleet.gates.entries()) {
          await crowd.arrived((USERS * (i + 2)) / 6);
          await kill(gate);
          await sleep(GONE_MS);
          await fleet.restart(gate);
        }
      };
      await crowd.play(USERS, killing());
      await assertFates(scene, crowd.signedIn);
    }));

  test('the store is killed, and has written everything down', () =>
    onServer(['--appendonly', 'yes', '--appendfsync', 'always'], async (scene, server) => {
      const { crowd } = scene;
      const killing = async (): Promise<void> => {
        for (const share of [1 / 3, 2 / 3]) {
          await crowd.arrived(USERS * share);
          await server.stop();
          await sleep(GONE_MS);
          await server.start();
        }
      };
      await crowd.play(USERS, killing());
      await assertFates(scene, crowd.signedIn);
    }));

  test('the store is killed, and comes back as it was a while ago', () =>
    onServer([], async (scene, server) => {
      const { crowd } = scene;
      let savedAt = 0;
      const killing = async (): Promise<void> => {
        await crowd.arrived(USERS / 2);
        savedAt = instant();
        await server.command('SAVE');
        await crowd.arrived(USERS * 0.7);
        await server.stop();
        await sleep(GONE_MS);
        await server.start();
      };
      await crowd.play(USERS, killing());
      await assertFates(
        scene,
        crowd.signedIn.filter(({ signedInAt }) => signedInAt < savedAt),
      );
      const statuses = await crowd.statuses(crowd.signedIn);
      assert.ok([...statuses].every((status) => status === 200 || status === 401));
    }));

  test('the store is killed, and comes back with nothing', () =>
    onServer([], async (scene, server) => {
      const { crowd, fleet } = scene;
      let backAt = 0;
      const killing = async (): Promise<void> => {
        await crowd.arrived(USERS / 2);
        await server.stop();
        await sleep(GONE_MS);
        await server.start();
        backAt = instant();
        await sleep(REPLICATED_MS);
      };
      await crowd.play(USERS, killing());
      await recovered(fleet);
      await assertFates(
        scene,
        crowd.signedIn.filter(({ signedInAt }) => signedInAt > backAt + REPLICATED_MS),
      );
      const lost = crowd.signedIn.filter(({ signedInAt }) => signedInAt < backAt - GONE_MS);
      assert.deepEqual(await crowd.statuses(lost), new Set([401]), 'a new sign-in, and no error');
    }));

  test('the store and every gate are killed: what was ended since the snapshot is refused once it is asked about', async () => {
    const server = await RedisServer.start();
    const scene = await fleetOn({ url: server.url }, { revalidate: `${REVALIDATE_MS}ms` });
    const { crowd, fleet } = scene;
    try {
      let savedAt = 0;
      const saving = async (): Promise<void> => {
        await crowd.arrived(USERS / 2);
        savedAt = instant();
        await server.command('SAVE');
      };
      await crowd.play(USERS, saving());
      await Promise.all([server.stop(), ...fleet.gates.map(kill)]);
      await server.start();
      for (const gate of fleet.gates) await fleet.restart(gate);
      await recovered(fleet);
      await sleep(REVALIDATE_MS);
      await assertFates(
        scene,
        crowd.signedIn.filter(({ signedInAt }) => signedInAt < savedAt),
      );
    } finally {
      await fleet.close();
      await server.close();
    }
  });

  test('the master is killed, and sentinels name another', async () => {
    const trio = await SentinelTrio.start();
    const nodes = trio.ports.map((port) => `127.0.0.1:${port}`);
    const scene = await fleetOn({ sentinel: { master: 'wiki', nodes } });
    const { crowd, fleet } = scene;
    try {
      let killedAt = 0;
      const killing = async (): Promise<void> => {
        await crowd.arrived(USERS / 2);
        killedAt = instant();
        await trio.master.stop();
      };
      await crowd.play(USERS, killing());
      await assertFates(
        scene,
        crowd.signedIn.filter(({ signedInAt }) => Math.abs(signedInAt - killedAt) > REPLICATED_MS),
      );
    } finally {
      await fleet.close();
      await trio.close();
    }
  });
});
