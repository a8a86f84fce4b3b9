// Forms in Redis go one behind the other: what else is on the connection waits for one body at most.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIND_FORM, KEEP_FORM, TAKE_FORM } from '../../../src/session/redis/form-scripts.ts';
import { RedisFormStore } from '../../../src/session/redis/redis-form-store.ts';
import { RedisKeys } from '../../../src/session/redis/redis-keys.ts';
import type { RedisScript } from '../../../src/session/redis/redis-script.ts';

test('a body waits for the one before it, also where that one fails; a head does not wait', async () => {
  const asked: { script: RedisScript; reply: PromiseWithResolvers<unknown> }[] = [];
  const run = <Reply>(script: RedisScript): Promise<Reply> => {
    const reply = Promise.withResolvers<unknown>();
    asked.push({ script, reply });
    return reply.promise as Promise<Reply>;
  };
  const limits = { formsOfOwner: 9, bytesOfOwner: 9_000, formsOfAll: 9, bytesOfAll: 9_000 };
  const store = new RedisFormStore({ connection: { run, runForBytes: run }, keys: new RedisKeys('p:', 0), limits });
  const form = { id: 'x', owner: 'alice', head: Buffer.from('head'), body: Buffer.from('body') };
  const kept = store.keep(form, 1_000);
  const taken = store.take('x');
  const head = store.find('x');
  await new Promise(setImmediate);
  const replyTo = (script: RedisScript) => asked.find((each) => each.script === script)?.reply;
  replyTo(FIND_FORM)!.resolve(form.head);
  assert.equal(await head, form.head);
  assert.equal(replyTo(TAKE_FORM), undefined);
  replyTo(KEEP_FORM)!.reject(new Error('lost'));
  await assert.rejects(kept, /lost/);
  await new Promise(setImmediate);
  replyTo(TAKE_FORM)!.resolve(Buffer.from('\0\0\0\x04headbody'));
  assert.deepEqual(await taken, { head: form.head, body: form.body });
});
