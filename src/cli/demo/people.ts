// Who lives in the demo. Anybody may sign in under any name; two people have a button of their own.

export interface Person {
  /** `sub`, and the name that the old apps get to see. */
  readonly id: string;
  readonly name: string;
  readonly groups: readonly string[];
}

const KNOWN: readonly Person[] = [
  { id: 'ada', name: 'Ada Lovelace', groups: ['scribes'] },
  { id: 'grace', name: 'Grace Hopper', groups: ['scribes', 'keepers'] },
];

/** The people who signed in, so that the provider can answer for them later. */
export class People {
  readonly #byId = new Map(KNOWN.map((person) => [person.id, person]));

  find(id: string): Person | undefined {
    return this.#byId.get(id);
  }

  /** The person of that id or name; whoever is new here is written down. Undefined where nothing of the name is left. */
  welcome(text: string): Person | undefined {
    const name = text.trim().replace(/\s+/g, ' ').slice(0, 60);
    const id = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '');
    if (id === '') return undefined;
    const person = this.#byId.get(id) ?? { id, name, groups: ['scribes'] };
    this.#byId.set(id, person);
    return person;
  }
}

/** A person as claims of an ID token (OpenID Connect Core section 5.1). */
export function claimsOf({ id, name, groups }: Person): Record<string, unknown> {
  return { sub: id, name, preferred_username: id, email: `${id}@castle.example`, groups };
}
