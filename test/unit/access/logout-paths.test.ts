// An application's own logout addresses, told from its other pages.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileLogoutPaths } from '../../../src/access/logout-paths.ts';

const OPTIONS = {
  paths: ['/logout', '/app/doku.php?do=logout', '/w/index.php?title=Special:UserLogout&from=menu', '/w/bye%20bye'],
  strippedPrefix: '/app',
};
const isLogout = compileLogoutPaths(OPTIONS);
const isLogoutOnly = compileLogoutPaths(OPTIONS, 'every way');

describe('an application’s logout addresses', () => {
  for (const target of [
    ...['/logout', '/logout/', '/logout?token=1', '/%6cogout', '/w/bye%20bye'],
    ...['/app/doku.php?do=logout', '/app/doku.php?id=start&do=logout&sectok=1', '/app/doku.php?d%6f=log%6fut'],
    // PHP believes the last, Java the first.
    ...['/app/doku.php?do=show&do=logout', '/app/doku.php?do=logout&do=show', '/app//doku.php?do=logout'],
    '/w/index.php?from=menu&title=Special%3AUserLogout',
  ]) {
    test(`${target} is one`, () => assert.equal(isLogout(target), true));
  }

  for (const target of [
    ...['/', '/logout/csrf', '/logouts', '/app/logout'],
    ...['/app/doku.php', '/app/doku.php?do=log', '/app/doku.php?do=LOGOUT', '/app/doku.php?undo=logout'],
    ...['/app/doku.php?id=do%3Dlogout', '/app/doku.php/x?do=logout', '/doku.php?do=logout&x=#', '/doku.php?do=logout'],
    ...['/w/index.php?title=Special:UserLogout', '/w/index.php?from=menu', '/w/index.php?title=Main&from=menu'],
  ]) {
    test(`${target} is none`, () => assert.equal(isLogout(target), false));
  }

  for (const target of ['/logout', '/logout/?token=1', '/app/doku.php?id=start&do=logout']) {
    test(`${target} is nothing else`, () => assert.equal(isLogoutOnly(target), true));
  }

  for (const target of ['/app/doku.php?do=logout&do=show', '/logout;/../x', '/x%2f..%2flogout', '/%6cogout']) {
    test(`${target} may be something else`, () => assert.equal(isLogoutOnly(target), false));
  }
});
