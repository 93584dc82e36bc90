import { QueueRoom, type Room } from "@colyseus/core";
import { show } from "../internal/check.ts";
import { describe, warn } from "../internal/report.ts";
import { GAME_PHASES, type GamePhase } from "../sessions/steps.ts";

/** What a stay in a room is: as the game says, where its answer is one; a fault of its function is no player's. */
export function homes(phaseOf?: (room: Room) => GamePhase | undefined): (room: Room) => GamePhase {
  return (room) => (phaseOf && asked(phaseOf, room)) ?? (room instanceof QueueRoom ? "matchmaking" : "in_game");
}

function asked(phaseOf: (room: Room) => unknown, room: Room): GamePhase | undefined {
  try {
    const given = phaseOf(room);
    const phase = GAME_PHASES.find((one) => one === given);
    if (phase === undefined && given !== undefined) {
      const known = GAME_PHASES.map((one) => `"${one}"`).join(", ");
      warn(
        "session.phaseOf value",
        `session.phaseOf(${room.roomName}) must give ${known} or undefined, gave ${show(given)}`,
      );
    }
    return phase;
  } catch (error) {
    warn(
      "session.phaseOf error",
      `session.phaseOf(${room.roomName}) threw ${describe(error)}: the room's own phase is used`,
    );
    return undefined;
  }
}
