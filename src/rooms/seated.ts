import type { Client, RegisteredHandler, Room } from "@colyseus/core";
import type { Method, Undo } from "../internal/patch.ts";
import { guard } from "../internal/report.ts";
import type { PlayerSeats, SeatedPlayer } from "../internal/player-seats.ts";
import type { RoomsObserver } from "./observer.ts";

/** Players whom the orchestrator was told of, by the room and Colyseus' sessionId: a return is another client. */
const seated = new WeakMap<Room, Map<string, SeatedPlayer>>();
const joinOptions = new WeakMap<Client, unknown>();

/** `Room._onJoin`: core forgets the options before it says that the join is confirmed. */
export function keepJoinOptions({ seats }: RoomsObserver): (original: Method) => Method {
  return (original) =>
    seats
      ? function _onJoin(this: Room, ...args: unknown[]) {
          const client = args[0] as Client;
          guard("players", () => joinOptions.set(client, this["_reservedSeats"][client.sessionId]?.[0]));
          return original.apply(this, args);
        }
      : original;
}

/** Tells the orchestrator of the players of a room type. */
export function tellPlayers({ registry }: RoomsObserver, players: PlayerSeats, handler: RegisteredHandler): Undo {
  const joined = (room: Room, client: Client) => {
    const connection = registry.of(room).connections.get(client.sessionId);
    const player = { client, options: joinOptions.get(client), context: connection?.joinContext };
    const inRoom = seated.get(room) ?? new Map<string, SeatedPlayer>();
    seated.set(room, inRoom.set(client.sessionId, player));
    players.joined(player);
  };
  const left = (room: Room, client: Client) => {
    const player = seated.get(room)?.get(client.sessionId);
    if (player) {
      seated.get(room)?.delete(client.sessionId);
      players.left(player);
    }
  };
  const join = (room: Room, client: Client) => guard("players", joined, room, client);
  const leave = (room: Room, client: Client) => guard("players", left, room, client);
  handler.on("join", join);
  handler.on("leave", leave);
  return () => {
    handler.off("join", join);
    handler.off("leave", leave);
  };
}
