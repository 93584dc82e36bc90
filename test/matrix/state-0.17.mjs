// example-server/arena/state.ts for Colyseus 0.17, whose schema has no `t`. The matrix copies it there.
import { entity, schema } from "@colyseus/schema";
import { Controls, FULL_HEALTH } from "../../example-server/arena/simulation.ts";

const of = (type, value) => ({ type, default: value });

const Synced = schema({
  name: "string",
  bot: of("boolean", false),
  x: of("float32", 0),
  y: of("float32", 0),
  facing: of("float32", 0),
  health: of("uint8", FULL_HEALTH),
  score: of("uint16", 0),
  shots: of("uint16", 0),
});

export class FighterState extends Synced {
  controls = new Controls();
}
entity(FighterState);

export const CellState = schema({ x: of("float32", 0), y: of("float32", 0) }, "CellState");

export const ArenaState = schema(
  { map: of("string", ""), tick: of("uint32", 0), fighters: { map: FighterState }, cells: [CellState] },
  "ArenaState",
);
