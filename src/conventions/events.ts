import { event, type EventConvention } from "../internal/convention.ts";

/** Span events of ours. A game names its own, by `phase().event()`. */
export const EVENTS = {
  serverStatePoll: event(
    "server_state_poll",
    "On provision.wait_for_ready, at most 64: a further answer, or a server whose state has changed",
  ),
  poll: event("poll", "On provision.gamelift_wait_active, at most 64: a look at the game session or its placement"),
} as const satisfies Record<string, EventConvention>;
