// Work on many sessions that waits for somebody else: a bounded number at once, because sessions end by the thousand.

/** Calls `work` for every item in order, `atOnce` of them under way at most; resolves when all are done. */
export async function inTurns<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  async function takeTurns(): Promise<void> {
    for (const item of waiting) await work(item);
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, takeTurns));
}
