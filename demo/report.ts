import pc from "picocolors";
import { drawBoot, drawWait } from "./boot-table.ts";
import type { Cast, Part } from "./expected.ts";
import { playersOf } from "./cast.ts";
import { drawOthers } from "./other-lines.ts";
import { poll } from "./waiting.ts";
import type { Process } from "./processes.ts";
import type { ReceiverReport } from "./receiver/main.ts";
import type { ReceivedSpan } from "./receiver/spans.ts";
import { drawSession } from "./session-line.ts";
import { drawTraces } from "./tree.ts";
import { verdict } from "./verdict.ts";

export interface Judged {
  readonly spans: readonly ReceivedSpan[];
  readonly wrong: readonly string[];
}

/** Milliseconds. The plugin exports once a second, and a span whose batch was refused comes with a later one. */
const ARRIVAL = 6_000;

/** Asks the receiver until the story is whole, or for so long that what is missing will not come. */
export async function judge(receiver: Process, cast: readonly Part[]): Promise<Judged> {
  let judged: Judged = { spans: [], wrong: verdict([], cast) };
  const ask = async () => {
    receiver.tell({ type: "receiver:ask" });
    type Answer = Extract<ReceiverReport, { type: "receiver:spans" }>;
    const { spans } = await receiver.heard<Answer>("receiver:spans", 5_000);
    judged = { spans, wrong: verdict(spans, cast) };
    return judged.wrong.length === 0 ? true : undefined;
  };
  // What did not come is the verdict's to name, span by span.
  await poll("the whole story", ask, { timeout: ARRIVAL, unless: receiver.gone }).catch(() => undefined);
  receiver.gone.throwIfAborted();
  return judged;
}

/** The boot, what is nobody's, and the players in full; those who are to be brief in a line each. */
export function printReport({ spans, wrong }: Judged, cast: Cast, color: boolean): void {
  const paint = pc.createColors(color);
  const inFullNames = cast.filter((part) => !part.brief).map(({ player }) => player);
  const others = new Map(playersOf(spans));
  for (const name of inFullNames) others.delete(name);
  const brief = new Set([...others.values()].flat());
  const inFull = spans.filter((span) => !brief.has(span));
  const lines = [
    "",
    drawTraces(inFull, { color }),
    "",
    ...inFullNames.flatMap((name) => [drawSession(spans, name, { color }), ""]),
    ...(others.size > 0 ? [drawOthers(others, { color }), ""] : []),
    drawWait(spans, { color }) ?? drawBoot(spans, { color }),
    "",
    wrong.length === 0
      ? paint.green(`✓ whole: ${spans.length} spans, every link of the story is there`)
      : paint.red(`✗ not whole: ${wrong.length} of the story's links missing or wrong`),
    ...wrong.map((line) => paint.red(`  ${line}`)),
    "",
  ];
  console.log(lines.join("\n"));
}
