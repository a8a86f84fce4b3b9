// The gate’s own cookies on their way to the upstream.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OwnCookies } from '../../../src/proxy/own-cookies.ts';

const own = new OwnCookies({
  sessionName: '__Host-portcullis',
  lastUserName: '__Host-portcullis-user',
  loginPrefix: '__Secure-portcullis-login-',
});

describe('the gate’s own cookies on their way to the upstream', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['a=1', 'a=1'],
    ['__Host-portcullis=V', ''],
    ['a=1; __Host-portcullis=V; b=2', 'a=1; b=2'],
    ['__Host-portcullis=V; b=2', 'b=2'],
    ['a=1; __Host-portcullis=V', 'a=1'],
    ['a=1;__Host-portcullis=V;b=2', 'a=1;b=2'],
    ['a=1;   __Host-portcullis  =V ;  b=2', 'a=1;  b=2'],
    ['a=1; __Host-portcullis', 'a=1'],
    ['__Secure-portcullis-login-xyz=V; a="x y"; a=2', 'a="x y"; a=2'],
    ['$Version=1; __Host-portcullis=V; b=2', '$Version=1; b=2'],
    ['a="x; __Host-portcullis=V; y"', 'a="x; y"'],
    ['a="x; \t__Host-portcullis=V"', 'a="x'],
    ['__Host-portcullis2=app; __Host-portcullis=V', '__Host-portcullis2=app'],
    ['__host-portcullis=app', '__host-portcullis=app'],
    ['a=__Host-portcullis', 'a=__Host-portcullis'],
    ['a=1;; ;b==', 'a=1;; ;b=='],
  ];
  for (const [sent, seen] of cases) {
    test(`${JSON.stringify(sent)} arrives as ${JSON.stringify(seen)}`, () => assert.equal(own.strip(sent), seen));
  }

  test('other cookies keep every byte', () => {
    const odd = 'x=\u00e9\u00ff; y="a\\"b"; z=a=b=c;  w ; =nameless';
    assert.equal(own.strip(`${odd}; __Host-portcullis=V`), odd);
  });
});

describe('Set-Cookie of an upstream', () => {
  const ours = [
    '__Host-portcullis=evil; Path=/; Secure',
    ' __Host-portcullis = evil',
    '__Host-portcullis',
    '=__Host-portcullis=evil',
    '\t= __Host-portcullis=evil',
    '__Secure-portcullis-login-abc=evil; Path=/',
  ];
  for (const value of ours)
    test(`cannot set ours: ${JSON.stringify(value)}`, () => assert.equal(own.isSetBy(value), true));
  const theirs = [
    'a=1',
    'a=__Host-portcullis',
    '__Host-portcullis2=1',
    'a=1; Path=/__Host-portcullis=',
    'x__Host-portcullis=1',
  ];
  for (const value of theirs)
    test(`may set its own: ${JSON.stringify(value)}`, () => assert.equal(own.isSetBy(value), false));
});
