import { context, trace } from "@opentelemetry/api";
import { ATTRIBUTES, SPANS } from "../conventions.ts";
import { around } from "../internal/around.ts";
import type { Method } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import { contextOf, newStep, type Step } from "../telling/step.ts";
import { AUTH_REFUSED, authFailure } from "./failures.ts";
import type { RoomHook } from "./hook.ts";
import { closeJoinPart, openJoinPart } from "./join-step.ts";
import { journeyOf, type Journey } from "./journey.ts";
import { typeOf, type RoomsObserver } from "./observer.ts";

/** The static onAuth, asked by the matchmaker before there is a room. */
export function traceStaticAuth(observer: RoomsObserver): (original: Method) => Method {
  return (original) =>
    function onAuth(this: unknown, ...args: unknown[]) {
      const journey = journeyOf(context.active());
      if (!observer.teller.active || journey?.authenticating) {
        return original.apply(this, args);
      }
      const step = guard("auth", openStaticAuth, observer, journey);
      if (!step) {
        return original.apply(this, args);
      }
      if (journey) {
        journey.authenticating = true;
      }
      return around(
        () => original.apply(this, args),
        (ok, outcome) => guard("auth", closeStaticAuth, observer, step, journey, ok, outcome),
        contextOf(step),
      );
    };
}

/** The instance's onAuth, asked when the socket is there. */
export const authHook: RoomHook = {
  key: "onAuth",
  subject: "client",
  open(observer, room, sessionId) {
    return openJoinPart(observer, room, sessionId, SPANS.roomAuth, { [ATTRIBUTES.room.key]: typeOf(room) });
  },
  close(observer, step, { ok, outcome, room, sessionId }) {
    step.failure = ok ? (outcome ? undefined : AUTH_REFUSED) : authFailure(outcome);
    const connection = closeJoinPart(observer, room, sessionId);
    if (connection) {
      connection.authRefused = step.failure?.expected === true;
    }
  },
};

function openStaticAuth({ teller }: RoomsObserver, journey: Journey | undefined): Step {
  const room = journey?.room;
  const step = newStep(SPANS.roomAuth, {
    parent: trace.getSpanContext(context.active()),
    target: room,
    attributes: room === undefined ? {} : { [ATTRIBUTES.room.key]: room },
  });
  teller.open(step);
  return step;
}

function closeStaticAuth(
  { teller }: RoomsObserver,
  step: Step,
  journey: Journey | undefined,
  ok: boolean,
  outcome: unknown,
): void {
  const refused = outcome === false || outcome === null || outcome === undefined;
  step.failure = ok ? (refused ? AUTH_REFUSED : undefined) : authFailure(outcome);
  if (journey) {
    journey.authenticating = false;
    journey.refusal = step.failure?.expected ? "auth_failed" : undefined;
  }
  teller.close(step);
}
