// An operator's end of sessions, and whether it reaches the provider (`logout.operator_ends_sso`).

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { PATHS } from '../../support/embedded-provider.ts';
import { TestGate } from '../../support/test-gate.ts';

describe('what an operator ends', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  async function handleOf(user: string): Promise<string> {
    const { body } = await gate.admin('GET', `/api/sessions?user=${user}`);
    return (body['sessions'] as { handle: string }[])[0]!.handle;
  }

  test('ends at the provider too where the configuration says so, and its notices meet nothing that waits', async () => {
    gate = await TestGate.start({
      config: { logout: { operator_ends_sso: true } },
      provider: { endsByRefreshToken: true },
    });
    const [here, there] = [await gate.signedIn('alice'), await gate.signedIn('alice')];
    const stream = here.download(gate.url('/events'));
    await stream.moreBytes();
    const hold = gate.provider.hold(PATHS.endSession, 'request');
    const answer = await gate.admin('DELETE', `/api/sessions/${await handleOf('alice')}`);
    assert.deepEqual([answer.status, answer.body['ended']], [200, 1], 'the operator does not wait for the provider');
    assert.equal(await stream.ended, 'cut');
    assert.equal((await here.request(gate.url('/echo'))).status, 401);
    await hold.arrived;
    hold.release();
    // It calls our own back-channel address before it answers that POST.
    assert.equal((await gate.event('notice.accepted'))['ended'], 0);
    assert.match((await here.navigate(gate.url('/echo'))).text, /username/, 'the provider asks again');
    assert.equal((await there.request(gate.url('/echo'))).status, 200, 'another SSO session of the same user');
    assert.equal(
      gate.log.some(({ event }) => event === 'gate.warning'),
      false,
    );
  });

  test('lives on at the provider otherwise', async () => {
    gate = await TestGate.start({ provider: { endsByRefreshToken: true } });
    const browser = await gate.signedIn('bob');
    const { body } = await gate.admin('DELETE', '/api/sessions?user=bob');
    assert.equal(body['ended'], 1);
    await gate.event('session.ended', { reason: 'operator' });
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    assert.equal((await browser.navigate(gate.url('/echo'))).status, 200, 'signed in again without a question');
    assert.equal(gate.provider.count(PATHS.endSession) + gate.provider.count(PATHS.revocation), 0);
  });

  test('at a provider that knows no such end has its token revoked, and the log says that this is not the same', async () => {
    gate = await TestGate.start({ config: { logout: { operator_ends_sso: true } } });
    await gate.signedIn('carol');
    await gate.admin('DELETE', '/api/sessions?all=true');
    const warning = await gate.event('gate.warning', { code: 'sso_not_ended' });
    assert.match(String(warning['message']), /revoked/);
    assert.equal(gate.provider.count(PATHS.revocation), 1);
  });

  test('ends here with the provider down, and the log says that it did not end there', async () => {
    gate = await TestGate.start({ config: { logout: { operator_ends_sso: true } } });
    const browser = await gate.signedIn('carol');
    await gate.provider.stop();
    const { body } = await gate.admin('DELETE', '/api/sessions?all=true');
    assert.equal(body['ended'], 1);
    assert.equal((await browser.request(gate.url('/echo'))).status, 401);
    await gate.event('gate.warning', { code: 'sso_not_ended' });
  });
});
