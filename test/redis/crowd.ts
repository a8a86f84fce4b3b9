// Many users who sign in and out at several gates, whatever happens to these meanwhile, and what became of each.

import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserClient } from '../support/browser-client.ts';
import { instant } from '../support/instant.ts';
import { type Gate, type GateFleet, url } from './gate-fleet.ts';

const AT_ONCE = 8;
/** Between two tries of somebody who finds no gate that signs in. */
const AGAIN_MS = 50;

export interface User {
  readonly name: string;
  readonly browser: BrowserClient;
  readonly signedInAt: number;
}

/** The users `user-0` and so on of the fleet's provider. */
export class Crowd {
  /** Who was told that the session has ended. */
  readonly signedOut: User[] = [];
  /** Whose session nobody has tried to end. */
  readonly signedIn: User[] = [];
  readonly #fleet: GateFleet;
  #arrived = 0;
  #waiting: (() => void)[] = [];

  constructor(fleet: GateFleet) {
    this.#fleet = fleet;
  }

  /**
   * So many sign in; every second one of the first half tries to sign out once, when half of all have come after. The last
   * fifth waits for `trouble` to be over, so that however fast or slow everything is, some come and go after it.
   */
  async play(count: number, trouble: Promise<void>): Promise<void> {
    const firstAfter = Math.ceil(count * 0.8);
    let next = 0;
    const users = new Map<number, User>();
    const one = async (): Promise<void> => {
      while (next < count) {
        const number = next++;
        if (number >= firstAfter) await trouble;
        users.set(number, await this.#signIn(`user-${number}`));
        const leaver = number - Math.floor(count / 2);
        // Who gets no answer, or another one, does not know and is asked no more.
        const user = leaver % 2 === 1 ? users.get(leaver) : undefined;
        if (user !== undefined) {
          users.delete(leaver);
          if (await this.#signOut(user, leaver % 4 === 1 ? 'notice' : 'logout')) this.signedOut.push(user);
          user.browser.close();
        }
        this.#arrived++;
        for (const wake of this.#waiting.splice(0)) wake();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    this.signedIn.push(...users.values());
  }

  /** Resolves when so many have been there. */
  async arrived(count: number): Promise<void> {
    while (this.#arrived < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The statuses that each of `users` gets at each gate. */
  async statuses(users: readonly User[]): Promise<Set<number>> {
    const found = new Set<number>();
    const left = [...users];
    const one = async (): Promise<void> => {
      for (let user = left.pop(); user !== undefined; user = left.pop()) {
        for (const gate of this.#fleet.gates) found.add((await user.browser.request(url(gate, '/echo'))).status);
        user.browser.close();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    return found;
  }

  async #signIn(name: string): Promise<User> {
    for (;;) {
      const browser = this.#fleet.browser();
      try {
        const gate = this.#anyGate();
        const form = await browser.navigate(url(gate, '/echo'));
        const page = await browser.submit(form, { username: name });
        if (page.status === 200 && page.url === url(gate, '/echo')) {
          browser.close();
          return { name, browser, signedInAt: instant() };
        }
      } catch {
        // The gate is gone, or says why nobody can sign in now.
      }
      browser.close();
      await sleep(AGAIN_MS);
    }
  }

  /** Whether the end was confirmed. */
  async #signOut(user: User, how: 'notice' | 'logout'): Promise<boolean> {
    const gate = this.#anyGate();
    try {
      if (how === 'notice') {
        this.#fleet.provider.dropSessions(user.name);
        return (await this.#fleet.notify(gate, user.name)) === 200;
      }
      const origin = gate.addresses.publicUrl;
      const options = { method: 'POST', site: 'same-origin', headers: { Origin: origin } } as const;
      const page = await user.browser.navigate(url(gate, '/_gate/logout'), options);
      return page.status === 200 && page.url.startsWith(url(gate, '/_gate/logged-out'));
    } catch {
      return false;
    }
  }

  #anyGate(): Gate {
    const { gates } = this.#fleet;
    return gates[Math.floor(Math.random() * gates.length)]!;
  }
}
