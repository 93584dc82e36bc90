import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { newStep } from "../telling/step.ts";
import type { RoomHook } from "./hook.ts";
import { typeOf } from "./observer.ts";

/** onDispose: a trace of its own, linked to room.create. The timer that disposes a room still runs in an old request's context. */
export const disposeHook: RoomHook = {
  key: "onDispose",
  subject: "room",
  open({ registry }, room) {
    const { createContext } = registry.of(room);
    return newStep(SPANS.roomOnDispose, {
      target: typeOf(room),
      links: createContext ? [{ context: createContext }] : [],
      attributes: { [ATTRIBUTES.room.key]: typeOf(room), [ATTRIBUTES.roomId.key]: room.roomId },
    });
  },
};
