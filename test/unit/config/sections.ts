// Whole files in which one section says something particular.

import { BASE, ROUTES } from './load-text.ts';

/** One section of the file in which something is wrong, the rest being right. */
export const inServer = (text: string) => `${BASE}${ROUTES}server:\n  ${text}\n`;
export const inLogout = (text: string) => `${BASE}${ROUTES}logout:\n  ${text}\n`;
export const inRoute = (text: string) => `${BASE}routes:\n  - upstream: http://wiki:3000\n    ${text}\n`;
export const inProvider = (text: string) =>
  `${ROUTES}${BASE.replace('client_secret: s3cret }', `client_secret: s3cret,\n  ${text} }`)}`;
export const inSession = (text: string) => `${ROUTES}${BASE.replace(/(secret: a.*) }/, `$1,\n  ${text} }`)}`;
export const withPublicUrl = (text: string) => `${ROUTES}${BASE}`.replace('public_url: https://wiki.example.com', text);
export const withIssuer = (text: string) => `${ROUTES}${BASE}`.replace('https://sso.example.com/realms/acme', text);
