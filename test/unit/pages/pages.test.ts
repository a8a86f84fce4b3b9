// Every page: complete, accessible, free of scripts, allowed by its own policy, and deaf to foreign markup
// (security catalogue; design: surface.md).

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { errorPage } from '../../../src/pages/error-page.ts';
import { finishLogoutPage } from '../../../src/pages/finish-logout-page.ts';
import { forbiddenPage } from '../../../src/pages/forbidden-page.ts';
import { formNotKeptPage } from '../../../src/pages/form-not-kept-page.ts';
import { escapeHtml, html, linkAddress } from '../../../src/pages/html.ts';
import {
  goneFormPage,
  keptFormPage,
  readyFormPage,
  unsentFormPage,
  weakFormPage,
} from '../../../src/pages/kept-form-page.ts';
import { loggedOutPage } from '../../../src/pages/logged-out-page.ts';
import { logoutConfirmPage } from '../../../src/pages/logout-confirm-page.ts';
import { FRAMED_PAGE_POLICY, formPagePolicy, PAGE_POLICY } from '../../../src/pages/page-policy.ts';
import { PAGE_STYLE } from '../../../src/pages/page-style.ts';
import { signInFailedPage } from '../../../src/pages/sign-in-failed-page.ts';
import { signInNeededPage } from '../../../src/pages/sign-in-needed-page.ts';
import { signedInBesidePage } from '../../../src/pages/signed-in-beside-page.ts';
import { stepUpFailedPage } from '../../../src/pages/step-up-failed-page.ts';
import { stepUpNeededPage } from '../../../src/pages/step-up-needed-page.ts';

const STATUSES = [400, 404, 405, 408, 413, 414, 421, 429, 431, 500, 502, 503, 504];

/** Every page with `text` in every place that takes one. */
const PAGES: Readonly<Record<string, (text: string) => string>> = {
  'sign-in needed': (text) => signInNeededPage({ signInUrl: text }),
  'sign-in failed': (text) => signInFailedPage({ status: 400, message: text, signInUrl: text, requestId: text }),
  forbidden: (text) => forbiddenPage({ user: text, logoutUrl: text, requestId: text }),
  'forbidden to nobody': (text) => forbiddenPage({ user: undefined, logoutUrl: text, requestId: text }),
  'step-up needed': (text) => stepUpNeededPage({ pageUrl: text, requestId: text }),
  'step-up failed': (text) => stepUpFailedPage({ user: text, retryUrl: text, logoutUrl: text, requestId: text }),
  'step-up failed, for a form': (text) =>
    stepUpFailedPage({ user: text, retryUrl: text, forForm: true, logoutUrl: text, requestId: text }),
  ...Object.fromEntries(
    ([undefined, 'sent', 'no session', 'unreachable', 'not offered'] as const).map((outcome) => [
      `logged out, ${outcome}`,
      (text: string) => loggedOutPage({ signInUrl: text, tryAgainUrl: text, continueUrl: text, outcome }),
    ]),
  ),
  'finish logout': (text) => finishLogoutPage({ action: text, fields: { state: text, id_token_hint: text } }),
  'form kept': (text) => keptFormPage({ signInUrl: text, minutesLeft: 1 }),
  'form kept for a stronger sign-in': (text) =>
    weakFormPage({ user: text, path: text, signInUrl: text, minutesLeft: 2 }),
  'form ready': (text) =>
    readyFormPage({ user: text, path: text, bytes: 1, minutesLeft: 2, sendAction: text, discardAction: text }),
  'form unsent': (text) => unsentFormPage({ formUrl: text, requestId: text }),
  ...Object.fromEntries(
    (['sent', 'unknown', 'other user', 'discarded'] as const).map((why) => [
      `form gone, ${why}`,
      (text: string) => goneFormPage({ why, continueUrl: text }),
    ]),
  ),
  ...Object.fromEntries(
    (['nobody', 'too large', 'too many', 'incomplete', 'unavailable', 'cut'] as const).flatMap((why) =>
      (['any', 'stronger'] as const).map((missing) => [
        `form not kept, ${why}, ${missing}`,
        (text: string) =>
          formNotKeptPage({ why, missing, signInUrl: text, status: 401, maxBytes: 1024, requestId: text }),
      ]),
    ),
  ),
  'signed in beside': () => signedInBesidePage(),
  'logout confirmation': (text) => logoutConfirmPage({ action: text }),
  ...Object.fromEntries(
    STATUSES.map((status) => [`${status}`, (text: string) => errorPage({ status, code: text, requestId: text })]),
  ),
  'NTLM upstream': (text) => errorPage({ status: 502, code: 'upstream_ntlm', requestId: text }),
  'provider unavailable': (text) => errorPage({ status: 503, code: 'provider_unavailable', requestId: text }),
};

const XSS: readonly string[] = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '" onmouseover="alert(1)" x="',
  '` onmouseover=alert(1) `',
  '</title><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '<!--<script>alert(1)-->',
  '--><svg/onload=alert(1)>',
  ']]><script>alert(1)</script>',
  'javascript:alert(1)',
  'JaVa\tScRiPt:alert(1)',
  ' javascript:alert(1)',
  '\u0001javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  '//evil.com',
  '/\\evil.com',
  '&lt;script&gt;',
  '&#x3c;script&#x3e;',
  '\u0000<script>\u0000alert(1)',
  '\ud800<b>',
  '\u202e<b>gnp.exe',
  '＜script＞',
  '+ADw-script+AD4-',
  '{{7*7}}<%= 7 %>#{7}',
  '<base href=//evil.com>',
  '<form action=//evil.com>',
  '<meta http-equiv=refresh content="0;url=//evil.com">',
  '__proto__',
  'constructor',
];

/** A small tokenizer: start tags with their attributes, by the rules that matter for what we write. */
function tagsOf(page: string): { name: string; attributes: Record<string, string> }[] {
  const withoutStyle = page.replace(/<style>[\s\S]*?<\/style>/g, '<style></style>');
  return Array.from(
    withoutStyle.matchAll(/<([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/g),
    ([, name, rest]) => ({
      name: name!,
      attributes: Object.fromEntries(
        Array.from(rest!.matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g), ([, key, value]) => [key!, value ?? '']),
      ),
    }),
  );
}

describe('every page', () => {
  for (const [name, page] of Object.entries(PAGES)) {
    it(`${name}: is a complete document with a language, a title, one heading and one main`, () => {
      const written = page('/x');
      assert.match(written, /^<!DOCTYPE html>\n<html lang="en">/);
      assert.match(written, /<\/html>\n$/);
      assert.match(written, /<meta name="viewport" content="width=device-width, initial-scale=1">/);
      const title = /<title>([^<]+)<\/title>/.exec(written)?.[1];
      const heading = /<h1>([^<]+)<\/h1>/.exec(written)?.[1];
      assert.ok(title !== undefined && title === heading);
      const names = tagsOf(written).map((tag) => tag.name);
      for (const single of ['main', 'h1', 'title', 'style'])
        assert.equal(names.filter((one) => one === single).length, 1, single);
    });

    it(`${name}: runs nothing and loads nothing`, () => {
      for (const { name: tag, attributes } of tagsOf(page('/x'))) {
        assert.ok(!['script', 'img', 'iframe', 'object', 'embed', 'link', 'base', 'audio', 'video'].includes(tag), tag);
        for (const attribute of Object.keys(attributes)) assert.doesNotMatch(attribute, /^(?:on|style$|src|srcdoc)/i);
      }
    });

    it(`${name}: its stylesheet is the one that its policy names`, () => {
      const style = /<style>([\s\S]*?)<\/style>/.exec(page('/x'))![1]!;
      const hash = createHash('sha256').update(style).digest('base64');
      for (const policy of [PAGE_POLICY, FRAMED_PAGE_POLICY, formPagePolicy('https://app.example')]) {
        assert.ok(policy.includes(`style-src 'sha256-${hash}';`));
      }
    });

    it(`${name}: what it is told stays text`, () => {
      const shape = (written: string) =>
        tagsOf(written).map(({ name: tag, attributes }) => [tag, Object.keys(attributes)]);
      const expected = shape(page('/x'));
      for (const text of XSS) {
        const written = page(text);
        assert.deepEqual(shape(written), expected, text);
        assert.equal(written.split('<').length, page('/x').split('<').length, text);
        for (const { attributes } of tagsOf(written)) {
          for (const address of [attributes['href'], attributes['action']]) {
            if (address !== undefined) assert.match(address, /^(?:$|\/(?![/\\])|https?:\/\/)/, text);
          }
        }
        assert.doesNotMatch(written, /[\u0000-\u0008\u000b-\u001f\u202e]/, text);
      }
    });
  }

  it('names the status and the request, so that operators find it', () => {
    for (const status of STATUSES) {
      const written = errorPage({ status, requestId: 'r-123' });
      assert.match(written, /<code>r-123<\/code>/);
      assert.match(written, new RegExp(`Status ${status}`));
    }
    assert.match(forbiddenPage({ user: 'a', logoutUrl: '/x', requestId: 'r-123' }), /<code>r-123<\/code>/);
    assert.match(
      signInFailedPage({ status: 400, message: 'm', signInUrl: '/x', requestId: 'r-123' }),
      /<code>r-123<\/code>/,
    );
  });

  it('sign-in opens outside any frame', () => {
    for (const written of [
      signInNeededPage({ signInUrl: '/_gate/login' }),
      signInFailedPage({ status: 400, message: 'm', signInUrl: '/_gate/login', requestId: 'r' }),
      loggedOutPage({ signInUrl: '/_gate/login', tryAgainUrl: '/_gate/logout' }),
    ]) {
      assert.match(written, /<a class="button" href="\/_gate\/login" target="_top">/);
    }
  });

  it('the confirmation posts, so that a link alone signs nobody out', () => {
    assert.match(
      logoutConfirmPage({ action: '/_gate/logout?return_to=%2Fx' }),
      /<form method="post" action="\/_gate\/logout\?return_to=%2Fx">/,
    );
  });

  it('a forbidden page says who is signed in', () => {
    assert.match(
      forbiddenPage({ user: 'al<b>ice', logoutUrl: '/x', requestId: 'r' }),
      /<strong>al&lt;b&gt;ice<\/strong>/,
    );
  });

  it('an unknown status has a page too', () => {
    for (const status of [402, 418, 451])
      assert.match(errorPage({ status, requestId: 'r' }), /This request cannot be passed on/);
    for (const status of [501, 599]) assert.match(errorPage({ status, requestId: 'r' }), /Something went wrong here/);
  });

  it('the application failing is another page than the gate refusing', () => {
    const titles = new Set(STATUSES.map((status) => /<h1>([^<]+)/.exec(errorPage({ status, requestId: 'r' }))![1]));
    assert.equal(titles.size, STATUSES.length);
  });
});

describe('the policy', () => {
  it('lets nothing run, nothing load, and nobody frame', () => {
    const directives = (policy: string) =>
      policy.split('; ').map((directive) => directive.replace(/'sha256-[^']+'/, 'HASH'));
    const common = ["default-src 'none'", 'style-src HASH'];
    assert.deepEqual(directives(PAGE_POLICY), [
      ...common,
      "form-action 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]);
    assert.deepEqual(directives(FRAMED_PAGE_POLICY), [
      ...common,
      "form-action 'none'",
      "frame-ancestors 'self'",
      "base-uri 'none'",
    ]);
    assert.deepEqual(directives(formPagePolicy('https://x')), [
      ...common,
      "form-action 'self' https:",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]);
    assert.match(formPagePolicy('http://127.0.0.1:8080'), /form-action 'self' https: http:;/);
  });
});

describe('html', () => {
  it('escapes values, keeps Html, and leaves undefined out', () => {
    assert.equal(
      html`<p title="${'"'}">${'<'}${html`<b>${'&'}</b>`}${undefined}${7}${[html`<i></i>`, html`<u></u>`]}</p>`.toString(),
      '<p title="&quot;">&lt;<b>&amp;</b>7<i></i><u></u></p>',
    );
  });

  it('an object that only looks like Html is escaped', () => {
    const fake = { toString: () => '<script>' } as never;
    assert.equal(html`${fake}`.toString(), '&lt;script&gt;');
  });

  it('escapeHtml leaves ordinary text of any language alone', () => {
    assert.equal(escapeHtml('Žofie 王 שלום 😀 a\tb\nc'), 'Žofie 王 שלום 😀 a\tb\nc');
  });

  it('linkAddress lets through our own paths and http(s) only', () => {
    for (const address of ['/x', '/', '', 'https://a/b', 'http://a']) assert.equal(linkAddress(address), address);
    for (const address of ['//a', '/\\a', 'javascript:x', 'x', 'https:a', ' /x', 'mailto:x'])
      assert.equal(linkAddress(address), '/');
  });
});

describe('contrast', () => {
  const luminance = (color: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return part <= 0.039_28 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const palettes = Array.from(PAGE_STYLE.matchAll(/:root \{([^}]*)\}/g), ([, block]) =>
    Object.fromEntries(
      Array.from(block!.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g), ([, name, color]) => [name!, color!]),
    ),
  );
  const PAIRS = [
    ['ink', 'card'],
    ['ink', 'paper'],
    ['quiet', 'paper'],
    ['iron', 'card'],
    ['iron-ink', 'iron'],
  ] as const;
  for (const [at, scheme] of ['light', 'dark'].entries()) {
    for (const [front, back] of PAIRS) {
      it(`${scheme}: ${front} on ${back} is at least 4.5`, () => {
        const [high, low] = [luminance(palettes[at]![front]!), luminance(palettes[at]![back]!)].sort((a, b) => b - a);
        assert.ok((high! + 0.05) / (low! + 0.05) >= 4.5);
      });
    }
    it(`${scheme}: the focus ring stands out (3:1)`, () => {
      for (const back of ['card', 'paper']) {
        const [high, low] = [luminance(palettes[at]!['warm']!), luminance(palettes[at]![back]!)].sort((a, b) => b - a);
        assert.ok((high! + 0.05) / (low! + 0.05) >= 3, back);
      }
    });
  }
});
