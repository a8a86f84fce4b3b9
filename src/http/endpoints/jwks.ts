// GET <prefix>/jwks : the keys that verify the gate's signed assertions (RFC 7517 section 5), for applications.

import type { GateContext } from '../gate-context.ts';

/** Seconds. A new key is to be published for so long at least before it signs. */
const KEPT_SECONDS = 300;

export async function jwks(ctx: GateContext): Promise<void> {
  ctx.body = await ctx.state.assertionKeys!();
  ctx.type = 'application/jwk-set+json';
  ctx.set('Cache-Control', `public, max-age=${KEPT_SECONDS}`);
}
