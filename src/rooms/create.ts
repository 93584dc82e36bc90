import { context, trace } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { newStep } from "../telling/step.ts";
import { hookFailure } from "./failures.ts";
import type { RoomHook } from "./hook.ts";
import { journeyOf } from "./journey.ts";
import { typeOf } from "./observer.ts";

/** onCreate, under the request that needed the room, or under what was active when server code made it. */
export const createHook: RoomHook = {
  key: "onCreate",
  subject: "room",
  open(_observer, room) {
    return newStep(SPANS.roomCreate, {
      parent: trace.getSpanContext(context.active()),
      target: typeOf(room),
      attributes: { [ATTRIBUTES.room.key]: typeOf(room), [ATTRIBUTES.roomId.key]: room.roomId },
    });
  },
  close({ registry }, step, { room, ok, outcome }) {
    registry.of(room).createContext = step.spanContext;
    step.failure = ok ? undefined : hookFailure(outcome);
    const journey = journeyOf(context.active());
    if (journey) {
      journey.refusal = step.failure?.expected ? "refused" : undefined;
    }
  },
};
