// Work on many sessions that must not hold up anybody's request (design: slices of at most 10 ms).

/** Small enough that one slice of anything done here stays far below 10 ms. */
const SLICE = 100;

/** Calls `each` for every item, a slice per turn of the event loop, the first one in a turn of its own. */
export async function inSlices<Item>(items: readonly Item[], each: (item: Item) => void): Promise<void> {
  for (let from = 0; from < items.length; from += SLICE) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (const item of items.slice(from, from + SLICE)) each(item);
  }
}
