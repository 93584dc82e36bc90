import { judge, type BarSpec } from "../bar.ts";
import type { PartContext, PartResult } from "../part.ts";
import { startServer } from "../server.ts";
import type { Stage } from "../stage.ts";
import { here, type VariantName } from "../variants.ts";

const SPEC: BarSpec = {
  name: "messages",
  what: "messages off: wrapped",
  unit: "",
  judged: "value",
  target: 0,
};

/** Off is absence: after a join and a leave the functions that messages pass are the objects that they were. */
export async function measureMessages({ stage, say }: PartContext): Promise<PartResult> {
  const counted = await changedFunctions(stage, "ours", { BENCH_MESSAGES: "1" });
  if (counted.length === 0) {
    throw new Error("with messages: true no function is another: the check sees nothing");
  }
  const [ours, bare] = [await changedFunctions(stage, "ours"), await changedFunctions(stage, "bare")];
  say(`messages: ${ours.length} functions are others when off, with messages: true ${counted.join(", ")}`);
  return { bars: [judge(SPEC, [{ ours: ours.length, bare: bare.length }])] };
}

async function changedFunctions(stage: Stage, name: VariantName, env: Record<string, string> = {}): Promise<string[]> {
  await using server = await startServer(stage, name, { flags: ["--import", here("apps/originals.mjs")], env });
  await server.ask("joins", { joins: 1 });
  return server.ask<string[]>("changedFunctions");
}
