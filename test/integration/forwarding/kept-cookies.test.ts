// A response whose cookies are written down elsewhere before any of it goes on: what is held comes whole, in order, and
// whatever else happens meanwhile is as if nothing were held.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { HeadWatcher } from '../../../src/proxy/forward-options.ts';
import { get, ok, startForwarding, until } from '../../support/forwarding/forwarding-test.ts';
import { answering } from '../../support/forwarding/recording-upstream.ts';

/** A store that takes its time. */
class SlowJar implements HeadWatcher {
  readonly kept: string[] = [];
  readonly #writing: PromiseWithResolvers<void>[] = [];

  keepCookies(setCookies: readonly string[]): Promise<void> {
    this.kept.push(...setCookies);
    const writing = Promise.withResolvers<void>();
    this.#writing.push(writing);
    return writing.promise;
  }

  onHead(): undefined {}

  written(): void {
    for (const writing of this.#writing.splice(0)) writing.resolve();
  }

  failed(): void {
    for (const writing of this.#writing.splice(0)) writing.reject(new Error('the store is down'));
  }
}

async function held(t: TestContext, response: string, request = get('/', 'x-owner: alice')) {
  const jar = new SlowJar();
  const { gate } = await startForwarding(t, answering(response), { watcher: jar });
  const client = gate.client().send(request);
  await until(() => jar.kept.length > 0);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.received, '', 'nothing goes on before the cookies are written down');
  return { jar, gate, client };
}

const BODY = 'x'.repeat(100_000);
const COOKIE = 'Set-Cookie: a=1; Path=/';

describe('a response whose cookies are being written down', { timeout: 60_000 }, () => {
  for (const [what, response, end] of [
    ['with a body', ok(BODY, COOKIE), `\r\n\r\n${BODY}`],
    ['with a small body', ok('hi', COOKIE), '\r\n\r\nhi'],
    ['without a body', `HTTP/1.1 302 Found\r\n${COOKIE}\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n`, '\r\n\r\n'],
    ['that has none by its status', `HTTP/1.1 204 No Content\r\n${COOKIE}\r\n\r\n`, '\r\n\r\n'],
    [
      'in chunks',
      `HTTP/1.1 200 OK\r\n${COOKIE}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`,
      '0\r\n\r\n',
    ],
    [
      'whose upstream closes',
      `HTTP/1.1 200 OK\r\n${COOKIE}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi`,
      '\r\n\r\nhi',
    ],
  ] as const) {
    test(`${what} comes whole afterwards, without them`, async (t) => {
      const { jar, client } = await held(t, response);
      jar.written();
      await client.until(({ received }) => received.endsWith(end));
      assert.deepEqual(jar.kept, ['a=1; Path=/']);
      assert.ok(!/set-cookie/i.test(client.received), client.received.slice(0, 300));
    });
  }

  test('to HEAD comes afterwards', async (t) => {
    const { jar, client } = await held(
      t,
      `HTTP/1.1 200 OK\r\n${COOKIE}\r\nContent-Length: 5\r\n\r\n`,
      get().replace('GET', 'HEAD'),
    );
    jar.written();
    await client.until(({ received }) => received.endsWith('\r\n\r\n'));
  });

  test('is cut like every other where its owner ends meanwhile: nothing of it arrives', async (t) => {
    const { jar, gate, client } = await held(t, ok(BODY, COOKIE));
    await gate.end('alice');
    await until(() => gate.told.ended === 1);
    jar.written();
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!client.received.includes('xxx'));
  });

  test('whose client leaves meanwhile leaves nothing behind', async (t) => {
    const { jar, gate, client } = await held(t, ok(BODY, COOKIE));
    client.destroy();
    await until(() => gate.told.finished.length === 1);
    jar.written();
    await gate.registry.drained();
    assert.deepEqual(gate.told.finished, [499]);
  });

  test('fails where they cannot be written down: the user would act without them', async (t) => {
    const { jar, gate } = await held(t, ok(BODY, COOKIE));
    jar.failed();
    await until(() => gate.told.failures.length === 1);
    assert.equal(gate.told.failures[0]!.code, 'cookies_not_kept');
  });
});
