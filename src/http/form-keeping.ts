// What a snapshot has for forms that are kept.

import type { StoredSession } from '../session/session-record.ts';
import type { KeptFormHead, KeptForms } from './kept-forms.ts';
import type { LastUser } from './last-user.ts';

export interface FormKeeping {
  readonly kept: KeptForms;
  readonly lastUser: LastUser;
  readonly issuer: string;
}

/** Only whoever sent a form may have it sent on; a bearer token's holder is no browser. */
export function isOwner({ issuer, sub }: KeptFormHead, { record }: StoredSession): boolean {
  return record.kind === 'sign_in' && record.issuer === issuer && record.sub === sub;
}
