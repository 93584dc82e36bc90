import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { within } from "../internal/deadline.ts";
import { describe, guard, warn } from "../internal/report.ts";
import type { SessionEnd } from "../propagation/session-token.ts";
import type { LastSeen } from "./last-seen.ts";

/** What a store may take to say who saw a player last. */
const ANSWER_MS = 2000;

/** What is to be known of a session that may go on. */
export interface Lasting {
  readonly id: string;
  /** Who tells `session.lifecycle`. */
  readonly end: SessionEnd;
  /** Which of the servers that its token has been to this one is, from 1. */
  readonly leg: number;
  matches: number;
  /** Rooms that it is in, and seats to which it moves. */
  stays: number;
  /** Its token is out: it may go on elsewhere, or come back. */
  portable: boolean;
  ended: boolean;
  left: { readonly at: number } | undefined;
}

/**
 * Sessions that are in no room of this process and may go on: their token is out. Each waits for as long as a seat lives;
 * one timer for all, as they all wait equally long.
 */
export interface Linger<Session extends Lasting> {
  /** Sessions that a token may name, open or lingering. */
  readonly known: Map<string, Session>;
  /** Its token is out from now on; `matches` are those that it has played before. */
  begin(session: Session, matches?: number): void;
  /** It is in no room here any more. */
  wait(session: Session): void;
  /** It has one stay more. */
  goOn(session: Session): void;
  /** It has played one match more. */
  count(session: Session): void;
  /** Waits for nobody any more: who lingers ends now. Resolves when all are told. */
  stop(): Promise<void>;
}

export interface LingerOptions<Session> {
  /** Milliseconds. */
  readonly wait: number;
  readonly now: () => number;
  /** Where the processes of this game meet. Undefined while there is no such place. */
  readonly lastSeen: () => LastSeen | undefined;
  /** Tells the end of a session. */
  readonly tell: (session: Session, summary: Summary) => void;
}

interface Summary {
  /** Of all processes, where these share a store. */
  readonly matches?: number;
  /** Set where they do not: each server tells its own part. */
  readonly leg?: number;
}

export function createLinger<Session extends Lasting>(options: LingerOptions<Session>): Linger<Session> {
  const { now, lastSeen, tell } = options;
  const known = new Map<string, Session>();
  const due = new Map<Session, number>();
  const settling = new Set<Promise<void>>();
  let { wait } = options;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    timer = undefined;
    for (const [session, at] of due) {
      if (at > now()) {
        arm(at);
        return;
      }
      settle(session);
    }
  }

  function arm(at: number): void {
    timer ??= context.with(ROOT_CONTEXT, () => setTimeout(guard, Math.max(0, at - now()) + 1, "linger", look).unref());
  }

  function settle(session: Session): void {
    due.delete(session);
    const seen = seenBy(session);
    if (!seen) {
      end(session, { leg: session.leg });
      return;
    }
    const settled = ask(seen, session).then(({ last, matches = session.matches }) => {
      settling.delete(settled);
      // Not where it came back while the store was asked, though it may have left again.
      if (session.stays > 0 || due.has(session)) {
        return;
      }
      end(session, last ? { matches } : undefined);
      if (last) {
        seen.forget(session.id);
      }
    });
    settling.add(settled);
  }

  /** Where the service tells the end, nobody else needs to know. */
  function seenBy({ end }: Lasting): LastSeen | undefined {
    return end === "server" ? lastSeen() : undefined;
  }

  /** Without a summary another process has the last word. */
  function end(session: Session, summary: Summary | undefined): void {
    if (session.ended) {
      return;
    }
    session.ended = true;
    if (known.get(session.id) === session) {
      known.delete(session.id);
    }
    if (summary) {
      tell(session, summary);
    }
  }

  return {
    known,
    begin(session, matches) {
      session.portable = true;
      known.set(session.id, session);
      seenBy(session)?.opened(session.id, matches);
    },
    wait(session) {
      seenBy(session)?.left(session.id, session.left?.at ?? now());
      if (wait === 0) {
        settle(session);
      } else {
        due.set(session, now() + wait);
        arm(now() + wait);
      }
    },
    goOn(session) {
      due.delete(session);
      // Also while the store is asked whether it was seen elsewhere.
      if (session.stays === 1) {
        seenBy(session)?.opened(session.id);
      }
    },
    count: (session) => seenBy(session)?.opened(session.id, 1),
    async stop() {
      wait = 0;
      clearTimeout(timer);
      for (const session of due.keys()) {
        settle(session);
      }
      await Promise.all(settling);
    },
  };
}

/** A store that does not answer is no reason for a session without an end. */
async function ask(seen: LastSeen, session: Lasting): ReturnType<LastSeen["settle"]> {
  try {
    const late = () => new Error(`no answer within ${ANSWER_MS} ms`);
    return await within(ANSWER_MS, seen.settle(session.id, session.left?.at ?? 0), late);
  } catch (error) {
    warn("last seen", `the presence does not say where a session was last, its end is told here: ${describe(error)}`);
    return { last: true, matches: undefined };
  }
}
