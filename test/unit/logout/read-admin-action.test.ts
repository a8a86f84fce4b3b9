// The form of an admin action (Keycloak's Admin URL; security catalogue BCL-13 turned on it).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAdminAction } from '../../../src/logout/read-admin-action.ts';

describe('the body of an admin action', () => {
  for (const contentType of [
    'text/plain',
    'text/plain; charset=ISO-8859-1',
    'text/plain;charset=utf-8',
    'TEXT/PLAIN ; charset="us-ascii"',
  ]) {
    it(`is read as ${contentType}`, () => {
      assert.equal(readAdminAction(contentType, Buffer.from('a.b.c')), 'a.b.c');
    });
  }

  for (const [what, contentType, body] of [
    ['without a content type', undefined, 'a.b.c'],
    ['with an empty content type', '', 'a.b.c'],
    ['as a form', 'application/x-www-form-urlencoded', 'logout_token=a.b.c'],
    ['as JSON', 'application/json', '"a.b.c"'],
    ['as a JWT', 'application/jwt', 'a.b.c'],
    ['as a type that only begins like the right one', 'text/plainer', 'a.b.c'],
    ['as one type that hides another', 'text/html, text/plain', 'a.b.c'],
    ['of more than 64 KiB', 'text/plain', 'a'.repeat(65_537)],
  ] as const) {
    it(`is refused ${what}`, () => {
      assert.throws(() => readAdminAction(contentType, Buffer.from(body)), { code: 'notice_refused' });
    });
  }
});
