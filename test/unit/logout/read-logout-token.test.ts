// The form of a notice (Back-Channel Logout 1.0 section 2.5; security catalogue BCL-13).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readLogoutToken } from '../../../src/logout/read-logout-token.ts';

const FORM = 'application/x-www-form-urlencoded';

function read(body: string, contentType: string | undefined = FORM) {
  return readLogoutToken(contentType, Buffer.from(body, 'latin1'));
}

describe('the form of a logout notice', () => {
  for (const contentType of [
    FORM,
    `${FORM};charset=UTF-8`,
    `${FORM} ; charset=ISO-8859-1`,
    'Application/X-WWW-Form-URLencoded; charset="utf-8"',
  ]) {
    it(`is read as ${contentType}`, () => {
      assert.equal(read('logout_token=a.b.c', contentType), 'a.b.c');
    });
  }

  it('may carry other parameters, which are ignored', () => {
    assert.equal(read('state=x&logout_token=a.b.c&logout_token2=y&=z'), 'a.b.c');
    assert.equal(read('logout_tokens=q&logout%5Ftoken=a%2Eb.c'), 'a.b.c');
  });

  for (const [what, body, contentType] of [
    ['without a content type', 'logout_token=a.b.c', ''],
    ['as JSON', '{"logout_token":"a.b.c"}', 'application/json'],
    ['as multipart', 'logout_token=a.b.c', 'multipart/form-data; boundary=x'],
    ['as text', 'logout_token=a.b.c', 'text/plain'],
    ['as a type that only begins like the right one', 'logout_token=a.b.c', `${FORM}-x`],
    ['as one type that hides another', 'logout_token=a.b.c', `text/plain, ${FORM}`],
    ['with the token twice', 'logout_token=a.b.c&logout_token=a.b.c', FORM],
    ['with the token twice, once in another spelling', 'logout_token=a.b.c&logout%5ftoken=d.e.f', FORM],
    ['without the token', 'token=a.b.c', FORM],
    ['with an empty token', 'logout_token=', FORM],
    ['that is empty', '', FORM],
    ['that begins like a query', '?logout_token=a.b.c', FORM],
    ['of more than 64 KiB', `logout_token=${'a'.repeat(65_536)}`, FORM],
  ] as const) {
    it(`is refused ${what}`, () => {
      assert.throws(() => read(body, contentType), { code: 'notice_refused' });
    });
  }

  it('is refused where the header is missing altogether', () => {
    assert.throws(() => readLogoutToken(undefined, Buffer.from('logout_token=a.b.c')), { code: 'notice_refused' });
  });

  it('never repeats what it was sent in the reason for operators', () => {
    assert.throws(
      () => read('logout_token=SECRET&logout_token=SECRET'),
      ({ message }: Error) => !message.includes('SECRET'),
    );
  });
});
