// `logout` and `log` (design/config.md).

import { byDefault, optional, required } from '../kind.ts';
import { claimPath } from '../kinds/headers.ts';
import { choice, flag, text } from '../kinds/scalars.ts';
import { list, section } from '../kinds/structures.ts';
import { absoluteUrl } from '../kinds/urls.ts';

const METHODS = ['GET', 'POST'] as const;

/** A URL that is called when a session ends. */
export const logoutCall = section({
  url: required(absoluteUrl('http://wiki:3000/logout'), 'The URL to call'),
  method: byDefault(choice(METHODS), 'GET', 'The method to call it with'),
});

export const logoutSection = section({
  post_logout_redirect_uri: optional(
    absoluteUrl('https://www.example.com/goodbye'),
    "Where the provider sends the user after logout; default: the gate's own page, <public origin><proxy_prefix>/logged-out",
  ),
  hint_claim: optional(
    claimPath,
    'The claim whose value is sent as logout_hint: sid for Auth0, login_hint for Entra ID; Keycloak needs none',
  ),
  initiating_idp: optional(
    text('the alias of an identity provider'),
    'Alias of the identity provider behind Keycloak that has ended its own session already (initiating_idp)',
  ),
  revoke_tokens: byDefault(flag, true, 'Revoke the refresh token when a user logs out at the gate'),
  operator_ends_sso: byDefault(
    flag,
    false,
    "An operator's end of sessions ends them at the provider too, for every application",
  ),
  frontchannel: byDefault(
    flag,
    false,
    'Serve the front-channel logout endpoint, for providers without a back channel: where it is on in Keycloak, Keycloak sends no back-channel notice',
  ),
  keycloak_admin_url: byDefault(
    choice(['prefix', 'root', 'off']),
    'prefix',
    "Where Keycloak's Admin URL protocol is served: under proxy_prefix, at the root, or nowhere",
  ),
  clear_site_data: byDefault(
    list(choice(['cache', 'cookies', 'storage', 'clientHints', 'executionContexts', '*']), {
      expected: 'words such as cache',
    }),
    ['cache'],
    'The Clear-Site-Data header of a logout; the logged-out page itself only ever clears the cache; empty for none',
  ),
  notify: optional(logoutCall, 'One more URL to call when a user logs out'),
});

export const logSection = section({
  level: byDefault(choice(['debug', 'info', 'warn', 'error']), 'info', 'The least severe lines that are written'),
  format: byDefault(choice(['json', 'pretty']), 'json', 'json for machines, pretty for people'),
});
