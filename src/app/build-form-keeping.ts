// What the configuration says of forms that arrive when the session is over.

import { ByteSeal } from '../base/byte-seal.ts';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/model.ts';
import type { FormKeeping } from '../http/form-keeping.ts';
import { KeptForms } from '../http/kept-forms.ts';
import { LastUser } from '../http/last-user.ts';
import { TextSeal } from '../http/sealed-text.ts';
import type { FormLimits, FormStore } from '../session/form-store.ts';
import { takes } from './build-routes.ts';

/** More than one person loses at once, and no more than a small server can spare. */
export const FORM_LIMITS: FormLimits = {
  formsOfOwner: 8,
  bytesOfOwner: 17 * 1024 ** 2,
  formsOfAll: 5_000,
  bytesOfAll: 64 * 1024 ** 2,
};

/** Undefined where no route keeps forms: nobody gets a cookie for it then. */
export function buildFormKeeping(
  { routes, session, provider }: Config,
  { clock, forms: store }: { clock: Clock; forms: FormStore },
): FormKeeping | undefined {
  const isUsed = routes.some((route) => route.maxFormBytes !== undefined && takes(route, 'session'));
  if (!isUsed) return undefined;
  const { absoluteTimeoutMs } = session;
  const secrets = { current: session.secrets };
  const { issuer } = provider;
  return {
    kept: new KeptForms({ store, seal: new ByteSeal(secrets, 'kept form'), clock }),
    lastUser: new LastUser({ seal: new TextSeal(secrets, 'last user'), clock, issuer, absoluteTimeoutMs }),
    issuer,
  };
}
