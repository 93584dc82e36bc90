import fc from "fast-check";
import type { Registry, Seat } from "../../src/sessions/registry.ts";
import type { WaitingSeats } from "../../src/sessions/waiting-seats.ts";
import { startServer } from "../_server.ts";
import { recordTelemetry } from "../_telemetry.ts";
import { executed } from "./command.ts";
import { Emissions } from "./emissions.ts";
import { endReasonOf } from "./ends.ts";
import { DROPS } from "./drops.ts";
import { JOINS } from "./joins.ts";
import { closeAll, LEAVES } from "./leaves.ts";
import { Model } from "./model.ts";
import { PHASES } from "./phases.ts";
import { sumOf } from "./points.ts";
import { QUEUES } from "./queue.ts";
import { REFUSALS } from "./refusals.ts";
import { pointsOf, settleForGood } from "./rest.ts";
import { calls, ROOMS } from "./rooms.ts";
import { OpenSpans } from "./open-spans.ts";
import { World } from "./world.ts";

/** The stories take a tenth of it. A failure is made smaller in what is left. */
const LIMIT_MS = 240_000;
const PATIENCE_MS = 5000;
/** Of stories that only make a failure smaller. */
const LITTLE_PATIENCE_MS = 500;

/** Without players little happens: joins twice. */
const STORIES = fc.commands([...JOINS, ...JOINS, ...REFUSALS, ...DROPS, ...LEAVES, ...PHASES, ...QUEUES], {
  maxCommands: 30,
  size: "max",
});

/** What the plugin keeps to itself, once the server is there. */
export interface Inside {
  readonly registry: Registry;
  readonly waiting: WaitingSeats;
}

export interface Played {
  /** What is wrong, and the smallest story that shows it. */
  readonly failure: string | undefined;
  readonly stories: number;
  readonly commands: number;
  readonly emitted: Emissions;
  /** Seats that are still waited for. */
  readonly waiting: readonly Seat[];
}

/** Plays random stories on one server, one after the other, each to its end. */
export async function play(seed: number, numRuns: number, inside: Inside): Promise<Played> {
  const open = new OpenSpans();
  const emitted = new Emissions();
  await using game = await startServer(ROOMS, { session: { endReasonOf } }, recordTelemetry(undefined, open));
  let patience = PATIENCE_MS;
  let before = await pointsOf({ game });

  async function playOne(commands: Iterable<fc.AsyncCommand<Model, World>>): Promise<void> {
    const model = new Model();
    const world = new World({ game, registry: inside.registry, open, patience, before });
    calls.clear();
    game.recorded.reset();
    try {
      await fc.asyncModelRun(() => ({ model, real: world }), commands);
      emitted.addPoints(await pointsOf({ game }));
      await closeAll(model, world);
      await settleForGood(model, world);
      emitted.addSpans(game.recorded.spans());
      before = sumOf(before, model.points());
    } catch (error) {
      // What it has left behind is none of the next story's.
      patience = LITTLE_PATIENCE_MS;
      await world.abandon();
      before = await pointsOf({ game });
      throw error;
    }
  }

  const details = await fc.check(fc.asyncProperty(STORIES, playOne), {
    seed,
    numRuns,
    interruptAfterTimeLimit: LIMIT_MS,
    markInterruptAsFailure: true,
  });
  const failure = details.failed
    ? `${await fc.asyncDefaultReportMessage(details)}\n${String(details.errorInstance)}`
    : undefined;
  return { failure, stories: details.numRuns, commands: executed.commands, emitted, waiting: inside.waiting.clear() };
}
