// What nobody may see once a notice has been answered (design: the promise, 1 and 3), and what everybody must still get.

import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import type { AdmittedAs, Observer } from './wire.ts';
import type { World } from './world.ts';

interface SignIn {
  /** Nothing may refuse it: it began when no notice was on its way, and none has come since. */
  undisturbed: boolean;
  cookie: 'none yet' | 'handed out' | 'refused';
}

/** Sees everything that leaves the gate of one world. The first thing that may not be is `violation`. */
export class Witness implements Observer {
  violation: string | undefined;
  readonly #world: World;
  /** Ids and handles of sessions, and of sign-ins whose code exchange has begun. */
  readonly #known = new Set<string>();
  /** Those that an answered notice has ended. */
  readonly #over = new Set<string>();
  readonly #signIns = new Map<string, SignIn>();
  #noticesUnderWay = 0;
  #noticesAnswered = 0;

  constructor(world: World) {
    this.#world = world;
  }

  existed({ id, handle }: SessionRecord): void {
    this.#known.add(id).add(handle);
  }

  /** A notice has arrived; call what is returned when it has been answered. */
  noticeArrives(): (status: number) => void {
    const { turns } = this.#world;
    turns.changes('notices');
    this.#noticesUnderWay++;
    for (const signIn of this.#signIns.values()) signIn.undisturbed = false;
    const doomed = [...this.#known];
    return (status) => {
      turns.changes('notices');
      turns.changes('answers to notices');
      if (status !== 200) this.#say(`a notice was answered ${status}`);
      this.#noticesUnderWay--;
      this.#noticesAnswered++;
      for (const name of doomed) this.#over.add(name);
    };
  }

  signInStarts(id: string): void {
    this.#world.turns.reads('notices');
    this.#signIns.set(id, { undisturbed: this.#noticesUnderWay === 0, cookie: 'none yet' });
  }

  codeExchangeBegins(id: string): void {
    this.#world.turns.reads('notices');
    this.#known.add(id);
  }

  /** The callback's last word: a cookie or none. */
  signInEnds(id: string, session: StoredSession | 'ended'): void {
    this.#world.turns.reads('answers to notices');
    this.#signIns.get(id)!.cookie = session === 'ended' ? 'refused' : 'handed out';
    if (session !== 'ended' && this.#isOver(session.record.handle, id))
      this.#say('a cookie was handed out for a sign-in that a notice had ended');
  }

  forwarded({ handle, id }: AdmittedAs, what: string): void {
    this.#world.turns.reads('answers to notices');
    if (this.#isOver(handle, id)) this.#say(`after the notice was answered: ${what}`);
  }

  /** After every step. */
  check(): void {
    for (const name of this.#over) {
      if (this.#world.explored.finds(name as SessionRecord['id'])) this.#say('an ended session is found in the store');
    }
  }

  /** When nothing goes on any more. */
  checkEnd(): void {
    const { explored, registry, network, events } = this.#world;
    this.check();
    for (const { handle, id } of explored.left())
      if (this.#isOver(handle, id)) this.#say('the record of an ended session is left in the store');
    for (const name of this.#over) if (registry.isLive(name)) this.#say('a connection of an ended session is left');
    for (const [, { undisturbed, cookie }] of this.#signIns)
      if (undisturbed && cookie !== 'handed out')
        this.#say(`a sign-in that no notice concerns got no cookie (${cookie})`);
    for (const [id, { undisturbed }] of this.#signIns)
      if (undisturbed && !explored.finds(id as SessionRecord['id'])) this.#say('a sign-in has no session');
    for (const { status, isClosed } of network.clients) {
      if (this.#noticesAnswered === 0 && status !== 200 && status !== 101)
        this.#say(`a request was answered ${status}`);
      if (this.#noticesAnswered > 0 && ![0, 101, 200, 401].includes(status)) this.#say(`a request got a ${status}`);
      if (status === 0 && !isClosed) this.#say('a request got no answer');
    }
    const accounts = events.filter((event) => event.event === 'session.ended').map(({ session }) => session);
    if (new Set(accounts).size !== accounts.length) this.#say('an end is accounted for twice');
    if (this.#noticesAnswered > 0 && accounts.length === 0) this.#say('an end is not accounted for');
  }

  #isOver(handle: string, id: string): boolean {
    return this.#over.has(handle) || this.#over.has(id);
  }

  #say(what: string): void {
    this.violation ??= what;
  }
}
