// What every store of waiting forms does. `wait` lets time pass.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { newFormId } from '../../src/base/ids.ts';
import type { FormLimits, FormStore, WaitingForm } from '../../src/session/form-store.ts';

export interface FormDesk {
  readonly forms: FormStore;
  wait(ms: number): Promise<void>;
}

export const LIMITS: FormLimits = { formsOfOwner: 3, bytesOfOwner: 10_000, formsOfAll: 5, bytesOfAll: 20_000 };
const LONG_MS = 60_000;

export function formStoreContract(name: string, open: () => Promise<FormDesk>): void {
  const aForm = (owner: string, bytes = 100): WaitingForm => ({
    id: newFormId(),
    owner,
    head: randomBytes(40),
    body: randomBytes(bytes - 40),
  });

  async function assertTaken(forms: FormStore, { id, head, body }: WaitingForm): Promise<void> {
    const taken = await forms.take(id);
    assert.ok(typeof taken === 'object');
    assert.deepEqual([taken.head, taken.body], [head, body]);
  }

  describe(`${name} as a store of forms`, () => {
    it('gives back the same bytes, and leaves them where they are until they are taken', async () => {
      const { forms } = await open();
      const form = aForm('alice', 1_000);
      assert.equal(await forms.keep(form, LONG_MS), 'kept');
      assert.deepEqual(await forms.find(form.id), form.head);
      assert.deepEqual(await forms.find(form.id), form.head);
      assert.equal(await forms.find(newFormId()), undefined);
      await assertTaken(forms, form);
      assert.equal(await forms.find(form.id), 'taken');
    });

    it('exactly one of many gets a form', async () => {
      const { forms } = await open();
      const form = aForm('alice');
      await forms.keep(form, LONG_MS);
      const taken = await Promise.all(Array.from({ length: 10 }, () => forms.take(form.id)));
      assert.equal(taken.filter((each) => typeof each === 'object').length, 1);
      assert.equal(taken.filter((each) => each === 'taken').length, 9);
    });

    it('what comes back waits again, and can be taken again', async () => {
      const { forms } = await open();
      const form = aForm('alice');
      await forms.keep(form, LONG_MS);
      await forms.take(form.id);
      await forms.giveBack(form, LONG_MS);
      assert.deepEqual(await forms.find(form.id), form.head);
      await assertTaken(forms, form);
    });

    it('nobody keeps more than the limits, of one or of all, in number or in bytes', async () => {
      const { forms } = await open();
      const first = aForm('alice');
      for (const form of [first, aForm('alice'), aForm('alice')]) assert.equal(await forms.keep(form, LONG_MS), 'kept');
      assert.equal(await forms.keep(aForm('alice'), LONG_MS), 'too many');
      assert.equal(await forms.keep(aForm('bob', 10_001), LONG_MS), 'too many');
      assert.equal(await forms.keep(aForm('bob', 9_900), LONG_MS), 'kept');
      assert.equal(await forms.keep(aForm('carol', 9_900), LONG_MS), 'too many', 'bytes of all');
      assert.equal(await forms.keep(aForm('carol'), LONG_MS), 'kept');
      assert.equal(await forms.keep(aForm('dave'), LONG_MS), 'too many', 'number of all');
      await forms.take(first.id);
      assert.equal(await forms.keep(aForm('alice'), LONG_MS), 'kept', 'one that was taken makes room');
    });

    it('a form is gone when its time is over, and so is its place', async () => {
      const { forms, wait } = await open();
      const [one, other] = [aForm('alice'), aForm('alice')];
      await forms.keep(one, 200);
      await forms.keep(other, 200);
      await forms.keep(aForm('alice'), LONG_MS);
      await forms.take(other.id);
      await wait(260);
      assert.equal(await forms.find(one.id), undefined);
      assert.equal(await forms.take(one.id), undefined);
      assert.equal(await forms.find(other.id), undefined, 'nor is it remembered that it was taken');
      for (let i = 0; i < 2; i++) assert.equal(await forms.keep(aForm('alice'), LONG_MS), 'kept');
    });
  });
}
