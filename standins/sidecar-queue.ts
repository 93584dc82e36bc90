import type { GameServerChange } from "./game-server.ts";

type Key = keyof GameServerChange;

export interface SdkQueue {
  add(change: GameServerChange): void;
  /** What the sidecar's memory held and nobody was told: lost with the process. */
  stop(): void;
}

/**
 * The sidecar's work queue with its constant rate limit: state, labels and annotations are one key each, and a key that
 * waits already is applied once, with what was asked last. So of `ready()` and `allocate()` in a row only the second shows.
 */
export function createSdkQueue(limit: number, apply: (change: GameServerChange) => void): SdkQueue {
  const waiting = new Map<Key, { change: GameServerChange; readonly timer: NodeJS.Timeout }>();
  const add = (key: Key, change: GameServerChange): void => {
    const entry = waiting.get(key);
    if (entry) {
      entry.change = merged(entry.change, change);
      return;
    }
    const timer = setTimeout(() => {
      const { change } = waiting.get(key) ?? { change: {} };
      waiting.delete(key);
      apply(change);
    }, limit);
    waiting.set(key, { change, timer });
  };
  return {
    add: (change) => {
      if (limit === 0) apply(change);
      else for (const key of Object.keys(change) as Key[]) add(key, { [key]: change[key] });
    },
    stop: () => {
      for (const { timer } of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}

function merged(first: GameServerChange, second: GameServerChange): GameServerChange {
  return {
    ...first,
    ...second,
    ...(second.labels && { labels: { ...first.labels, ...second.labels } }),
    ...(second.annotations && { annotations: { ...first.annotations, ...second.annotations } }),
  };
}
