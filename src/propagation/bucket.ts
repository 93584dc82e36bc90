/** A token bucket: holds `perSecond`, and as many flow in each second. Each call takes one, if there is one. */
export function createBucket(perSecond: number, clock: () => number = () => performance.now()): () => boolean {
  let level = perSecond;
  let filledAt = clock();
  return () => {
    const at = clock();
    level = Math.min(perSecond, level + ((at - filledAt) * perSecond) / 1000);
    filledAt = at;
    if (level < 1) {
      return false;
    }
    level -= 1;
    return true;
  };
}
