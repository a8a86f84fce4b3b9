// Real sign-ins, many at once, in a process of its own.

import { answerParent } from './children.ts';
import { closeIdleConnections, signIn } from './one-sign-in.ts';

export interface SignInsOptions {
  readonly publicUrl: string;
  readonly count: number;
  readonly atOnce: number;
}

answerParent({
  /** The Cookie headers of the last hundred sessions, once all have signed in. */
  async signIn({ publicUrl, count, atOnce }: SignInsOptions): Promise<string[]> {
    let left = count;
    const sessions: string[] = [];
    const one = async (): Promise<void> => {
      while (left-- > 0) {
        sessions.push((await signIn(publicUrl)).session);
        if (sessions.length > 100) sessions.shift();
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
    closeIdleConnections();
    return sessions;
  },
});
