import type { Client, Room } from "@colyseus/core";
import { around } from "../internal/around.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { contextOf, type Step } from "../telling/step.ts";
import { hookFailure } from "./failures.ts";
import type { RoomsObserver } from "./observer.ts";

/** A lifecycle hook that games define on their rooms. */
export interface RoomHook {
  readonly key: "onCreate" | "onAuth" | "onJoin" | "onDrop" | "onReconnect" | "onLeave" | "onDispose";
  /** Whom the hook is about: its first argument, or the room itself. */
  readonly subject: "client" | "room";
  /** The step of one call. `sessionId` is the client's, or empty for the room. */
  open(observer: RoomsObserver, room: Room, sessionId: string): Step;
  /** Notes how the call came out. Without it, an error is noted as the hook's failure. */
  readonly close?: (observer: RoomsObserver, step: Step, call: HookCall) => void;
}

/** A finished call of a hook. */
export interface HookCall {
  readonly room: Room;
  readonly sessionId: string;
  readonly ok: boolean;
  readonly outcome: unknown;
}

/**
 * Wraps one hook: the game's code runs inside the step's context; value, promise and error stay the game's own.
 *
 * A hook that calls its super's is one hook, not two: while it runs for a subject, the inner call goes straight through.
 */
export function traceHook(observer: RoomsObserver, hook: RoomHook): (original: Method) => Method {
  const running = new WeakSet<object>();
  return (original) =>
    function hooked(this: Room, ...args: unknown[]) {
      const client = hook.subject === "client" ? (args[0] as Client | undefined) : undefined;
      // A game may call its own hook with anything.
      const subject: object = Object(client ?? this);
      if (!observer.teller.active || running.has(subject)) {
        return original.apply(this, args);
      }
      const sessionId = client?.sessionId ?? "";
      const step = guard(hook.key, openHook, observer, hook, this, sessionId);
      if (!step) {
        return original.apply(this, args);
      }
      running.add(subject);
      return around(
        () => original.apply(this, args),
        (ok, outcome) => {
          running.delete(subject);
          guard(hook.key, noteOutcome, observer, hook, step, { room: this, sessionId, ok, outcome });
          observer.teller.close(step);
        },
        contextOf(step),
      );
    };
}

function openHook(observer: RoomsObserver, hook: RoomHook, room: Room, sessionId: string): Step {
  const step = hook.open(observer, room, sessionId);
  observer.teller.open(step);
  return step;
}

function noteOutcome(observer: RoomsObserver, hook: RoomHook, step: Step, call: HookCall): void {
  step.failure = call.ok ? undefined : hookFailure(call.outcome);
  hook.close?.(observer, step, call);
}
