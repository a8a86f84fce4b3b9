// Values by segment-wise path prefix. Whole prefixes are the keys of one map: a look or two find the longest among ten
// thousand, and nothing is followed from segment to segment through memory that is cold.

const SLASH = 0x2f;

export class PrefixMap<T> {
  /** Of the empty prefix. */
  #root: T | undefined;
  readonly #values = new Map<string, T>();
  /** By number of segments: whether any prefix has so many. */
  readonly #depths: boolean[] = [false];

  /** Sets the value at `prefix` ('' for every path, else `/a/b`). False where there is one already: that one stays. */
  add(prefix: string, value: T): boolean {
    if (prefix === '') {
      if (this.#root !== undefined) return false;
      this.#root = value;
      return true;
    }
    if (this.#values.has(prefix)) return false;
    this.#values.set(prefix, value);
    const depth = prefix.split('/').length - 1;
    while (this.#depths.length <= depth) this.#depths.push(false);
    this.#depths[depth] = true;
    return true;
  }

  /** Prefixes with their values. */
  *entries(): Iterable<[string, T]> {
    if (this.#root !== undefined) yield ['', this.#root];
    yield* this.#values;
  }

  /** The value with the longest prefix of `path`. A path of a thousand segments costs no more than the deepest prefix. */
  longest(path: string): T | undefined {
    let depth = 0;
    let end = 0;
    for (; depth < this.#depths.length - 1 && end < path.length; depth++) {
      const slash = path.indexOf('/', end + 1);
      end = slash === -1 ? path.length : slash;
    }
    while (depth > 0) {
      const found = this.#depths[depth] ? this.#values.get(path.slice(0, end)) : undefined;
      if (found !== undefined) return found;
      // Back to the slash before, which was counted on the way here.
      if (--depth > 0) while (path.charCodeAt(--end) !== SLASH);
    }
    return this.#root;
  }
}
