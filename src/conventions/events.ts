import { event, type EventConvention } from "../internal/convention.ts";

/** Span events of ours. A game names its own, by `phase().event()`. */
export const EVENTS = {
  serverStatePoll: event(
    "server_state_poll",
    "On provision.wait_for_ready, at most 64: a further answer, or a server whose state has changed",
  ),
} as const satisfies Record<string, EventConvention>;
