import { judge, type BarSpec, type Round } from "../bar.ts";
import type { Curve, PartContext, PartResult } from "../part.ts";
import type { Plan } from "../plan.ts";
import { settled, startServer, type Measured } from "../server.ts";
import type { Stage } from "../stage.ts";
import { median } from "../statistics.ts";
import type { VariantName } from "../variants.ts";

const HOLDING: BarSpec = { name: "heap", what: "heap per player", unit: "KiB", judged: "difference", target: 1.5 };
const AFTER: BarSpec = { name: "heap-after", what: "heap after all left", unit: "%", judged: "value", target: 2 };
const HELD: readonly VariantName[] = ["bare", "again", "ours", "by-hand"];
const PER_SECOND = 4000;

export interface Memory {
  /** Bytes. */
  readonly heap: number;
  readonly external: number;
  readonly rss: number;
}

interface Held {
  /** KiB a session, by open sessions. */
  readonly perSession: ReadonlyMap<number, number>;
  /** Percent by which the empty heap has grown since it was empty the last time. */
  readonly after: number;
}

/** Heap (with what Buffers hold) after a forced gc: per open session, and once all have left. */
export async function measureHeap({ stage, plan: { heap: plan }, say }: PartContext): Promise<PartResult> {
  const rounds: Record<string, Held>[] = [];
  while (rounds.length < plan.rounds) {
    // All at once: memory, unlike time, is not shared.
    const held = HELD.map(async (name) => [name, await hold(stage, name, plan)] as const);
    const round: Record<string, Held> = Object.fromEntries(await Promise.all(held));
    rounds.push(round);
    const figures = HELD.map((name) => `${name} ${round[name]!.perSession.get(plan.sessions.at(-1)!)!.toFixed(2)}`);
    say(`heap ${rounds.length}/${plan.rounds}, KiB a session: ${figures.join(", ")}`);
  }
  const values = (of: (held: Held) => number): Round[] =>
    rounds.map((round) => Object.fromEntries(Object.entries(round).map(([name, held]) => [name, of(held)])));
  const most = plan.sessions.at(-1)!;
  const curve: Curve = {
    name: "heap",
    title: "Heap per open session over bare",
    x: "open sessions",
    unit: "KiB",
    points: plan.sessions.map((sessions) => {
      const added = judge(
        HOLDING,
        values(({ perSession }) => perSession.get(sessions)!),
      );
      return { x: sessions, y: { ours: added.difference!, "by-hand": added.peers["by-hand"]!.figure } };
    }),
  };
  const bars = [
    judge(
      HOLDING,
      values(({ perSession }) => perSession.get(most)!),
    ),
    judge(
      AFTER,
      values(({ after }) => after),
    ),
  ];
  return { bars, curves: [curve] };
}

/**
 * What is held is told from the empty heap *after* it, by the median over some cycles: programs with an SDK let 6 MiB of
 * their start go at some gc, which before the first cycle passes for a cost of bare, and hides half of ours.
 */
async function hold(stage: Stage, name: VariantName, { sessions, cycles }: Plan["heap"]): Promise<Held> {
  await using server = await startServer(stage, name);
  const fill = (players: number) => server.ask("fill", { players, perSecond: PER_SECOND });
  const empty = () => server.ask("empty", { perSecond: PER_SECOND });
  const most = sessions.at(-1)!;
  // Once for nothing: rooms stay, and code is compiled.
  await fill(most);
  await empty();
  const perSession = new Map<number, number>();
  let before = await heapOf(server);
  let grown: number[] = [];
  for (const players of sessions) {
    const held: number[] = [];
    grown = [];
    while (held.length < cycles) {
      await fill(players);
      const full = await heapOf(server);
      await empty();
      const after = await heapOf(server);
      held.push((full - after) / players / 1024);
      grown.push((after / before - 1) * 100);
      before = after;
    }
    perSession.set(players, median(held));
  }
  return { perSession, after: median(grown) };
}

/** Bytes, with nothing under way. */
async function heapOf(server: Measured): Promise<number> {
  await settled(server);
  const { heap, external } = await server.ask<Memory>("heap");
  return heap + external;
}
