// What the configuration accepts the route table compiles.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileIdentityHeaders } from '../../../src/access/identity-headers.ts';
import { compileRouteTable } from '../../../src/access/route-table.ts';
import type { RouteConfig } from '../../../src/config/model.ts';
import { BASE, configOf, problemsOf } from './load-text.ts';

/** What comes out of the configuration must go into the route table and the identity headers: they throw otherwise. */
describe('what the configuration accepts the route table compiles', () => {
  const CHARACTERS = [
    ...'ab/.-_~%:@!$&()+,=;?#[]{}|\\^`"<>* é\t',
    '%2f',
    '%2e',
    '%41',
    '%20',
    '%c3%a9',
    '%zz',
    '..',
    '//',
  ];

  function texts(first: string): string[] {
    const pairs = CHARACTERS.flatMap((one) => CHARACTERS.map((two) => `${first}${one}${two}x`));
    return [...pairs, ...CHARACTERS.map((one) => `${first}x${one}`)];
  }

  /** Of many routes those that are accepted, loaded. One of them would hide whether the next is accepted. */
  function accepted(routes: readonly object[]): readonly RouteConfig[] {
    const write = (each: readonly object[]) =>
      `${BASE}routes: ${JSON.stringify(each.map((route, i) => ({ host: `h${i}.example.com`, ...route })))}\n`.replace(
        'https://wiki.example.com',
        JSON.stringify(each.map((_, i) => `https://h${i}.example.com`)),
      );
    const refused = new Set(problemsOf(write(routes)).map(({ path }) => Number(/^routes\[(\d+)\]/.exec(path)![1])));
    const rest = routes.filter((_, i) => !refused.has(i));
    assert.ok(rest.length > 100 && refused.size > 100, `${rest.length} accepted, ${refused.size} refused`);
    return configOf(write(rest)).routes;
  }

  it('paths of routes', () => {
    for (const { name, path } of accepted(texts('/').map((path) => ({ upstream: 'http://a', path })))) {
      compileRouteTable([{ name, path }]);
    }
  });

  it('paths of rules', () => {
    const routes = texts('/').map((path) => ({ upstream: 'http://a', access: [{ path, roles: ['x'] }] }));
    for (const { name, access } of accepted(routes)) {
      compileRouteTable([{ name, access: access.map(({ path, roles }) => ({ path, roles: roles! })) }]);
    }
  });

  it('header names', () => {
    const routes = texts('X').map((name) => ({ upstream: 'http://a', headers: { set: { [name]: 'x' } } }));
    for (const { headers } of accepted(routes)) compileIdentityHeaders(headers);
  });

  it('templates of headers', () => {
    const templates = [...texts('{a').map((text) => `${text}}`), ...texts('X')];
    const routes = templates.map((text) => ({ upstream: 'http://a', headers: { set: { 'X-A': text } } }));
    for (const { headers } of accepted(routes)) compileIdentityHeaders(headers);
  });
});
