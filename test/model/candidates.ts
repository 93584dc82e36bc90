import type { Model } from "./model.ts";
import type { ModelRoom, Player } from "./state.ts";

export function anywhere(): readonly [undefined] {
  return [undefined];
}

/** Where there is no such thing, undefined: the command makes one. */
export function orNew<T>(candidates: (model: Model) => readonly T[]): (model: Model) => readonly (T | undefined)[] {
  return (model) => {
    const found = candidates(model);
    return found.length > 0 ? found : [undefined];
  };
}

export function allRooms({ rooms }: Model): ModelRoom[] {
  return [...rooms.values()];
}

/** Rooms that take this many more players, who ask for them by their id. */
export function withPlaces(places: number): (model: Model) => ModelRoom[] {
  return (model) => allRooms(model).filter((room) => !room.locked && !room.rules.queue && placesIn(room) >= places);
}

export function withAPlaceInChecked(model: Model): ModelRoom[] {
  return withPlaces(1)(model).filter(({ type }) => type === "checked");
}

export function full(model: Model): ModelRoom[] {
  return allRooms(model).filter((room) => placesIn(room) === 0);
}

export function locked(model: Model): ModelRoom[] {
  return allRooms(model).filter((room) => room.locked);
}

export function occupied(model: Model): ModelRoom[] {
  return [...new Set(connected(model).map(({ room }) => room))];
}

/** A room that ends while players are in it waits for the seats that nobody has claimed: 15 seconds. */
export function closable(model: Model): ModelRoom[] {
  const inhabited = new Set(occupied(model));
  return allRooms(model).filter((room) => room.seats.size === 0 || !inhabited.has(room));
}

export function unclaimed(model: Model): { readonly room: ModelRoom; readonly id: string }[] {
  return allRooms(model).flatMap((room) => Array.from(room.seats.keys(), (id) => ({ room, id })));
}

export function connected(model: Model): Player[] {
  return model.players.filter(({ dropped }) => dropped === undefined);
}

export function whomRoomsHold(model: Model): Player[] {
  return connected(model).filter(({ room }) => room.rules.holds);
}

export function dropped(model: Model): Player[] {
  return model.players.filter((player) => player.dropped !== undefined);
}

export function droppedInHeld(model: Model): Player[] {
  return dropped(model).filter(({ room }) => room.type === "held");
}

export function connectedIn({ players }: ModelRoom): Player[] {
  return [...players.values()].filter((player) => player.dropped === undefined);
}

function placesIn({ rules, players, seats }: ModelRoom): number {
  return rules.places - players.size - seats.size;
}
