// Who may use the API: whoever sends `admin.token` (RFC 6750 section 2.1). Without a configured token the API is off.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import type { Secret } from '../base/secret.ts';
import { answer } from './answer.ts';

/** True when the request may go on; otherwise it has been answered. */
export function bearerCheck(token: Secret | undefined): (ctx: Context) => boolean {
  if (token === undefined) {
    return (ctx) => {
      answer(ctx, 404, 'not_found', 'The API is off: set admin.token to turn it on.');
      return false;
    };
  }
  const expected = digest(token.reveal());
  return (ctx) => {
    const presented = /^Bearer +(.+)$/i.exec(ctx.get('Authorization'))?.[1];
    // Digests have one length, so the comparison tells nothing about the token.
    if (presented !== undefined && timingSafeEqual(digest(presented), expected)) return true;
    ctx.set('WWW-Authenticate', 'Bearer realm="portcullis"');
    answer(ctx, 401, 'unauthorized', 'Send the admin token: Authorization: Bearer …');
    return false;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
