// What the drill says where an end was not a cut: sentences that an operator can act upon.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problemsOf } from '../../../src/cli/drill/problems.ts';
import type { Outcome } from '../../../src/cli/drill/run-trigger.ts';
import { TRIGGERS } from '../../../src/cli/drill/triggers.ts';

const DRILL = { withinMs: 5_000, gateUrl: 'https://wiki.example.com/_gate', clientAdminUrl: undefined };
const GOOD = { afterMs: 10, script: 200, page: 200, webSocket: undefined, areComplete: false };
const ACCOUNT = { notices: {}, noticesRefused: 0, ended: 0, stopMs: undefined, closeMs: undefined };

/** The end by `name` after which the old cookie is still good, as the gate's account has it. */
function unended(name: string, account: Partial<Outcome['account']> = {}): Outcome {
  const trigger = TRIGGERS.find((each) => each.name === name)!;
  return { trigger, answeredMs: 5, connections: [], refused: [GOOD], account: { ...ACCOUNT, ...account } };
}

describe('an end of which the gate heard nothing', () => {
  const rows: [trigger: string, clientAdminUrl: string | undefined, cure: RegExp][] = [
    [
      'admin-sign-out',
      undefined,
      /"Backchannel logout URL" must be https:\/\/wiki\.example\.com\/_gate\/backchannel-logout/,
    ],
    ['admin-sign-out-all', DRILL.gateUrl, /"Admin URL" must be https:\/\/wiki\.example\.com\/_gate,/],
    ['admin-revocation', 'https://wiki.example.com', /"Admin URL" must be https:\/\/wiki\.example\.com,/],
    [
      'admin-revocation',
      undefined,
      /set logout\.keycloak_admin_url to prefix, and .*"Admin URL" in Keycloak to https:\/\/wiki\.example\.com\/_gate$/,
    ],
  ];
  for (const [trigger, clientAdminUrl, cure] of rows) {
    test(`${trigger}, with the Admin URL at ${clientAdminUrl}: says where it must be told`, () => {
      const [cookie, notice, ...more] = problemsOf(unended(trigger), { ...DRILL, clientAdminUrl });
      assert.match(cookie!, /still good for something 0 s after the answer: a request 200, a page 200$/);
      assert.match(notice!, /^no notice came: /);
      assert.match(notice!, cure);
      assert.deepEqual(more, []);
    });
  }

  test('but which it refused to hear: says to look at the log', () => {
    const problems = problemsOf(unended('admin-sign-out-all', { noticesRefused: 1 }), DRILL);
    assert.equal(problems[1], 'the gate refused a notice: look for notice.refused in its log');
  });
});
