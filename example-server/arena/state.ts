import { schema, t, type SchemaType } from "@colyseus/schema";
import { Controls, FULL_HEALTH } from "./simulation.ts";

export const FighterState = schema(
  {
    name: t.string(),
    bot: t.boolean().default(false),
    /** The player's network broke, and the seat is held. */
    away: t.boolean().default(false),
    x: t.float32().default(0),
    y: t.float32().default(0),
    /** Radians, 0 is east, clockwise on screen. */
    facing: t.float32().default(0),
    /** 0 is down, until it is back on a spawn. */
    health: t.uint8().default(FULL_HEALTH),
    score: t.uint16().default(0),
    shots: t.uint16().default(0),
    controls: t
      .ref(Controls)
      .noSync()
      .default(() => new Controls()),
  },
  "FighterState",
);
export type FighterState = SchemaType<typeof FighterState>;

export const CellState = schema({ x: t.float32().default(0), y: t.float32().default(0) }, "CellState");
export type CellState = SchemaType<typeof CellState>;

export const ArenaState = schema(
  {
    map: t.string().default(""),
    tick: t.uint32().default(0),
    /** By session id; bots by `bot-<number>`. */
    fighters: t.map(FighterState),
    cells: t.array(CellState),
  },
  "ArenaState",
);
export type ArenaState = SchemaType<typeof ArenaState>;
