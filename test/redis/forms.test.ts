// Forms that arrive when the session is over, with two gates on one store: kept at one, sent at the other.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { newFormId } from '../../src/base/ids.ts';
import { formStoreContract, LIMITS } from '../contract/form-store-contract.ts';
import type { RequestOptions } from '../support/browser-client.ts';
import { FaultProxy } from './fault-proxy.ts';
import { GatePair, url } from './gate-pair.ts';
import { RedisServer } from './redis-server.ts';
import { Replica } from './replica.ts';

let server: RedisServer;
before(async () => {
  server = await RedisServer.start();
});
after(() => server.close());

const replicas: Replica[] = [];
after(() => Promise.all(replicas.map((replica) => replica.stop())));

formStoreContract('redis', async () => {
  await server.command('FLUSHALL');
  const replica = await Replica.start(server.port, { formLimits: LIMITS });
  replicas.push(replica);
  return { forms: replica.store.forms, wait: (ms) => wait(ms) };
});

test('the largest form, on its way for longer than a lease lasts, holds up nothing else that is asked of the store', async (context) => {
  const proxy = await FaultProxy.start(server.port);
  context.after(() => proxy.close());
  const bytes = 4 * 1024 ** 2;
  const replica = await Replica.start(proxy.port, {
    formLimits: { ...LIMITS, bytesOfOwner: 2 * bytes, bytesOfAll: 2 * bytes },
  });
  replicas.push(replica);
  const session = await replica.signIn();
  const form = { id: newFormId(), owner: 'ada', head: Buffer.from('head'), body: Buffer.alloc(bytes, 'x') };
  proxy.slowTo(16);
  const since = performance.now();
  let isKept = false;
  const keeping = Promise.resolve(replica.store.forms.keep(form, 60_000)).finally(() => {
    isKept = true;
  });
  let slowest = 0;
  while (!isKept) {
    const askedAt = performance.now();
    await replica.store.now();
    slowest = Math.max(slowest, performance.now() - askedAt);
    assert.equal(replica.store.find(session.record.id), session, 'its lease holds: nobody is asked');
    await wait(20);
  }
  const tookMs = performance.now() - since;
  assert.equal(await keeping, 'kept');
  context.diagnostic(
    `on its way for ${Math.round(tookMs)} ms; the slowest answer to a look took ${Math.round(slowest)} ms`,
  );
  assert.ok(tookMs > 2_000, 'as many bytes need so long on this link');
  assert.deepEqual([replica.store.trouble(), replica.troubles], [undefined, [undefined]]);
  const taken = await replica.store.forms.take(form.id);
  assert.ok(typeof taken === 'object' && taken.body.equals(form.body));
});

describe('a form that was kept by one gate', () => {
  let pair: GatePair;
  before(async () => {
    await server.command('FLUSHALL');
    const redis = { url: `redis://127.0.0.1:${server.port}` };
    pair = await GatePair.start({ redis: [redis, redis] });
  });
  after(() => pair.close());

  test('is sent by another, once, and the store cannot read it', async () => {
    const browser = await pair.signedIn(pair.a);
    await pair.provider.endSessions('alice');
    pair.provider.dropSessions('alice');
    const host = new URL(url(pair.a, '/')).host;
    const origin = new URL(url(pair.a, '/')).origin;
    const form: RequestOptions = {
      method: 'POST',
      mode: 'navigate',
      site: 'same-origin',
      headers: { 'Content-Type': 'text/plain', Origin: origin },
    };
    const body = `a=a form that only alice may read${'\u0000\u00ff'.repeat(5_000)}`;
    const kept = await browser.request(url(pair.a, '/save?x=1'), { ...form, body });
    assert.equal(kept.status, 303);
    const page = await browser.navigate(url(pair.a, kept.headers.location!), { site: 'same-origin' });
    assert.match(page.text, /Your form is kept/);
    const stored = await server.command('KEYS', 'portcullis:{forms}:*');
    assert.match(stored, /\{forms\}:f:/);
    const [, key] = /(portcullis:\{forms\}:f:[\w-]+)/.exec(stored)!;
    assert.doesNotMatch(await server.command('GET', key!), /only alice/);

    const signIn = await browser.navigate(
      url(pair.a, `/_gate/login?return_to=${encodeURIComponent(kept.headers.location!)}`),
    );
    const ready = await browser.submit(signIn, { username: 'alice' });
    assert.match(ready.text, /Send your form now/);
    const [, action] = /action="[^"]*(\/save\?[^"]+)"/.exec(ready.text)!;
    // The balancer leads to the other one, under the same public name.
    const target = url(pair.b, action!.replaceAll('&amp;', '&'));
    const click = { ...form, body: '', headers: { ...form.headers, Host: host } };
    const answers = await Promise.all([1, 2, 3].map(() => browser.request(target, click)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410, 410]);
    const [seen, ...more] = pair.app.seen('/save');
    assert.deepEqual(more, []);
    assert.deepEqual([seen!.target, seen!.receivedBytes], ['/save?x=1', Buffer.byteLength(body)]);
    assert.equal(seen!.headers['content-type'], 'text/plain');
  });
});
