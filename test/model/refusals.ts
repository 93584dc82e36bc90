import { matchMaker } from "@colyseus/core";
import fc from "fast-check";
import { roomOf } from "../_server.ts";
import { allRooms, anywhere, full, locked, orNew, withAPlaceInChecked } from "./candidates.ts";
import { command, NOTHING, type Command } from "./command.ts";
import { fill, reserve, reserveNew } from "./steps.ts";

/** Ways to get no seat at all. */
const NO_SEAT: fc.Arbitrary<Command>[] = [
  command(
    "full",
    fc.constantFrom("locked", "unlocked", "server code"),
    orNew(full),
    async (model, world, found, how) => {
      const room = found ?? (await fill(model, world, "small"));
      if (how === "server code") {
        const [listing] = await matchMaker.query({ roomId: room.id });
        await matchMaker.reserveSeatFor(listing!, {}).catch(() => {});
        return model.refusedServerCode(room);
      }
      if (how === "unlocked") {
        await roomOf(room.id).unlock();
      }
      await world.refusal("joinById", room.id);
      return model.refused(room.type, "room_full");
    },
  ),
  command("locked", NOTHING, locked, async (model, world, room) => {
    await world.refusal("joinById", room.id);
    model.refused(room.type, "invalid_room");
  }),
  command(
    "static onAuth",
    fc.constantFrom("forged", "stolen", "garbled"),
    anywhere,
    async (model, world, _, ticket) => {
      await world.refusal("joinOrCreate", "guarded", { ticket });
      model.refused("guarded", ticket === "garbled" ? "unhandled" : "auth_failed");
    },
  ),
  command("nowhere", fc.constantFrom("create", "join", "joinOrCreate"), anywhere, async (model, world, _, method) => {
    await world.refusal(method, "casino");
    model.refused(undefined, "no_handler");
  }),
  command("no such room", NOTHING, anywhere, async (model, world) => {
    await world.refusal("joinById", "nosuchroom");
    model.refused(undefined, "invalid_room");
  }),
  command("none to join", NOTHING, anywhere, async (model, world) => {
    await world.refusal("join", "broken");
    model.refused("broken", "no_room");
  }),
  command("onCreate", fc.constantFrom("missing", "banned"), anywhere, async (model, world, _, map) => {
    await world.refusal("create", "broken", { map });
    model.refused("broken", map === "banned" ? "refused" : "unhandled");
  }),
  command("stale token", NOTHING, allRooms, async (model, world, room) => {
    await world.refusal("reconnect", room.id, { reconnectionToken: "stale" });
    model.refused(room.type, "expired", "reconnect");
  }),
];

const FAILURES = {
  forged: { options: { ticket: "forged" }, error: "auth_failed" },
  stolen: { options: { ticket: "stolen" }, error: "auth_failed" },
  garbled: { options: { ticket: "garbled" }, error: "hook_error" },
  crash: { options: { spawn: "crash" }, error: "hook_error" },
  refuse: { options: { spawn: "refuse" }, error: "refused" },
  linger: { options: { spawn: "linger" }, error: "client_left" },
} as const;

/** Seats that are claimed in vain. */
const IN_VAIN: fc.Arbitrary<Command>[] = [
  command(
    "join in vain",
    fc.constantFrom(...(Object.keys(FAILURES) as (keyof typeof FAILURES)[])),
    (model) => [...withAPlaceInChecked(model), undefined],
    async (model, world, found, why) => {
      const { options, error } = FAILURES[why];
      const { room, id } = found
        ? { room: found, id: await reserve(model, world, found, options) }
        : await reserveNew(model, world, "checked", options);
      await (why === "linger" ? world.goesWhileJoining(id) : world.joinRefused(id));
      model.notJoined(room, id, error);
    },
  ),
  command("close the room while onJoin runs", NOTHING, anywhere, async (model, world) => {
    const { room, id } = await reserveNew(model, world, "checked", { spawn: "hang" });
    await world.goesWhileJoining(id, () => roomOf(room.id).disconnect());
    model.notJoined(room, id, "interrupted");
  }),
];

export const REFUSALS: fc.Arbitrary<Command>[] = [...NO_SEAT, ...IN_VAIN];
