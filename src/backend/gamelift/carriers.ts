import { withTraceFields } from "../../propagation/traceparent.ts";
import { contextOfCarrier, type TraceCarrier } from "../place.ts";

/** An attribute of a player in a FlexMatch ticket. */
export interface FlexMatchAttributes {
  readonly traceparent?: { readonly S: string };
}

/**
 * `PlayerData` of `CreatePlayerSession` that carries the player's context, as JSON: the game server links the player's join
 * to it. Undefined where the carrier has none. A game with data of its own copies the carrier's `traceparent` into it.
 */
export function gameLiftPlayerData(carrier: TraceCarrier): string | undefined {
  const found = contextOfCarrier(carrier);
  return typeof found === "object" ? JSON.stringify(withTraceFields({}, found)) : undefined;
}

/**
 * `PlayerAttributes` of a FlexMatch ticket that carry the player's context; none where the carrier has none. The rule set
 * has to declare the attribute: `{ "name": "traceparent", "type": "string" }`.
 */
export function flexMatchAttributes(carrier: TraceCarrier): FlexMatchAttributes {
  const found = contextOfCarrier(carrier);
  return typeof found === "object" ? { traceparent: { S: withTraceFields({}, found).traceparent } } : {};
}
