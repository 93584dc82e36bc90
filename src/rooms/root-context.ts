import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import type { Room } from "@colyseus/core";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { RoomsObserver } from "./observer.ts";

/**
 * Timers keep the context they were made in: a simulation that onCreate starts would run for hours under the ended
 * matchmaking span. Room's own timers are made under the root context instead.
 */
export function detachTimers(original: Method): Method {
  return function detached(this: unknown, ...args: unknown[]) {
    return context.with(ROOT_CONTEXT, () => original.apply(this, args));
  };
}

/**
 * `Room.__init`, before onCreate: the last moment to meet a class that was defined after instrument(), and before core
 * wraps it for its RoomPlugins (so that plugins run outside our spans on every room of the class alike).
 */
export function traceInit(observer: RoomsObserver): (original: Method) => Method {
  return (original) => {
    const detached = detachTimers(original);
    return function __init(this: Room) {
      guard("init", () => observer.meetNewRooms());
      const result = detached.call(this);
      guard("init", () => detachPatchRate(this));
      return result;
    };
  };
}

/** `this.patchRate = 50` in onCreate makes a timer as well. */
function detachPatchRate(room: Room): void {
  const descriptor = Object.getOwnPropertyDescriptor(room, "patchRate");
  if (descriptor?.set && descriptor.configurable) {
    Object.defineProperty(room, "patchRate", { ...descriptor, set: detachTimers(descriptor.set) });
  }
}
