// Values by segment-wise path prefix. One look at a map finds most, however many prefixes there are: whole prefixes are its
// keys, so that nothing is followed from segment to segment through memory that is cold.

const SLASH = 0x2f;

export class PrefixMap<T> {
  readonly #values = new Map<string, T>();
  /** By number of segments: whether any prefix has so many. */
  readonly #depths: boolean[] = [];

  /** Sets the value at `prefix` ('' for every path, else `/a/b`). False where there is one already: that one stays. */
  add(prefix: string, value: T): boolean {
    if (this.#values.has(prefix)) return false;
    this.#values.set(prefix, value);
    const depth = prefix.split('/').length - 1;
    while (this.#depths.length <= depth) this.#depths.push(false);
    this.#depths[depth] = true;
    return true;
  }

  /** Prefixes with their values. */
  entries(): Iterable<[string, T]> {
    return this.#values.entries();
  }

  /** The value with the longest prefix of `path`. A path of a thousand segments costs no more than the deepest prefix. */
  longest(path: string): T | undefined {
    let depth = 0;
    let end = 0;
    for (; depth < this.#depths.length - 1 && end < path.length; depth++) {
      const slash = path.indexOf('/', end + 1);
      end = slash === -1 ? path.length : slash;
    }
    for (; depth >= 0; depth--) {
      if (this.#depths[depth]) {
        const found = this.#values.get(path.slice(0, end));
        if (found !== undefined) return found;
      }
      do end--;
      while (end > 0 && path.charCodeAt(end) !== SLASH);
    }
    return undefined;
  }
}
