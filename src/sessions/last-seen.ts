import { describe, warn } from "../internal/report.ts";

/** What we use of Colyseus' Presence. */
export interface Store {
  hset(key: string, field: string, value: string): unknown;
  hincrbyex(key: string, field: string, value: number, expireInSeconds: number): unknown;
  hgetall(key: string): Promise<Readonly<Record<string, string>>>;
  del(key: string): unknown;
}

/**
 * Where the processes of a game say who has a session's player, so that the last of them tells its end and no other: one
 * hash for each session whose token is out, in the presence that they share.
 */
export interface LastSeen {
  /** In a room of this process; `matches` are those that nobody has said yet. */
  opened(id: string, matches?: number): void;
  /** In no room of this process any more. `at` is epoch milliseconds. */
  left(id: string, at: number): void;
  /** Whether nobody has seen the player later than `at`, and all matches. */
  settle(id: string, at: number): Promise<{ readonly last: boolean; readonly matches: number | undefined }>;
  /** The end is told. */
  forget(id: string): void;
}

const MATCHES = "matches";
const OPEN = "open";
/** A process that dies takes nothing away: as long as a token is believed. */
const TTL_S = 86_400;

/** `process` is this process' name among the others. */
export function createLastSeen(store: Store, process: string): LastSeen {
  const keyOf = (id: string) => `colyseus-otel:session:${id}`;
  const attempt = (write: () => Promise<void>) => void write().catch(unwritten);
  const write = (id: string, value: string, matches: number) =>
    attempt(async () => {
      await store.hset(keyOf(id), process, value);
      await store.hincrbyex(keyOf(id), MATCHES, matches, TTL_S);
    });
  return {
    opened: (id, matches = 0) => write(id, OPEN, matches),
    left: (id, at) => write(id, String(at), 0),
    async settle(id, at) {
      const { [MATCHES]: matches, [process]: _own, ...others } = await store.hgetall(keyOf(id));
      const last = Object.entries(others).every(([name, seen]) => !isLater(seen, name, at, process));
      return { last, matches: matches === undefined ? undefined : Number(matches) };
    },
    forget: (id) =>
      attempt(async () => {
        await store.del(keyOf(id));
      }),
  };
}

/** Two processes that saw the player leave in the same moment agree by their names. */
function isLater(seen: string, name: string, at: number, process: string): boolean {
  const then = Number(seen);
  return seen === OPEN || then > at || (then === at && name > process);
}

function unwritten(error: unknown): void {
  warn(
    "last seen",
    `the presence does not take down where a session is, its end may be told twice: ${describe(error)}`,
  );
}
