// Notes who looks at a session and who changes it: whoever holds one has the same object.

import type { StoredSession } from '../../../src/session/session-record.ts';
import type { Turns } from './turns.ts';

/** Has every look at `session`, and every change of it, in the footprint of the step that does it. */
export function watchFields(session: StoredSession, turns: Turns, whose = ''): void {
  const { handle } = session.record;
  const fields = ['record', 'lastSeenAt', ...(Object.hasOwn(session, 'ended') ? (['ended'] as const) : [])] as const;
  for (const field of fields) {
    let value: unknown = session[field];
    Object.defineProperty(session, field, {
      get: () => {
        turns.reads(whose + field, handle);
        return value;
      },
      set: (next: unknown) => {
        // Who writes what is there already changes nothing for others, and has to do with whoever does.
        if (next === value) turns.reads(whose + field, handle);
        else turns.changes(whose + field, handle);
        value = next;
      },
    });
  }
  if (fields.length === 3) return;
  const ended = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(session), 'ended')!.get!;
  Object.defineProperty(session, 'ended', {
    get: () => {
      turns.reads(`${whose}ends`);
      return ended.call(session);
    },
  });
}
