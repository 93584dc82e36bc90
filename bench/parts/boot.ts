import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { poll } from "../../demo/waiting.ts";
import { judge, only, type BarSpec, type Round } from "../bar.ts";
import type { PartContext, PartResult } from "../part.ts";
import { describeServer } from "../server.ts";
import type { Stage } from "../stage.ts";
import { shuffled } from "../statistics.ts";
import { appFile, VARIANTS, type VariantName } from "../variants.ts";

const SPEC: BarSpec = { name: "boot", what: "process start to Ready", unit: "ms", judged: "ratio", target: 1 };
const OVER_HTTP: BarSpec = {
  ...SPEC,
  name: "boot-http",
  what: "the same, the sidecar asked over HTTP",
  target: 0.9,
  subject: "ours-http",
};
const BOOTED: readonly VariantName[] = ["bare", "again", "ours", "node-sdk", "by-hand", "auto"];
const ALL: readonly VariantName[] = [...BOOTED, "ours-http"];
/** The receiver's copy of the boot comes after Ready: SDK packages with breaths between them, then a batch. */
const EXPORTED_MS = 15_000;

/** Process start to Ready, as the sidecar saw it, on one clock. Every run is a new process, without a meter in it. */
export async function measureBoot({ stage, plan: { boot: plan }, say }: PartContext): Promise<PartResult> {
  for (let run = 0; run < plan.warmUp; run += 1) {
    for (const name of ALL) await bootOnce(stage, name);
  }
  await checkExport(stage);
  const rounds: Round[] = [];
  while (rounds.length < plan.rounds) {
    const round: Record<string, number> = {};
    for (const name of shuffled(ALL)) round[name] = await bootOnce(stage, name);
    rounds.push(round);
    const figures = ALL.map((name) => `${name} ${round[name]!.toFixed(0)}`);
    say(`boot ${rounds.length}/${plan.rounds}, ms: ${figures.join(", ")}`);
  }
  return {
    bars: [judge(SPEC, only(rounds, BOOTED)), judge(OVER_HTTP, only(rounds, ["bare", "again", "ours-http"]))],
  };
}

/** Milliseconds. */
async function bootOnce(stage: Stage, name: VariantName): Promise<number> {
  await using booting = await startApp(stage, name);
  return booting.ready;
}

/** The bar counts for nothing unless the boot it times is really told: one run is let live until it is. */
async function checkExport(stage: Stage): Promise<void> {
  await using booted = await startApp(stage, "ours");
  const arrived = async () => (await stage.receiver.counts(booted.service))["gameserver.boot"];
  await poll("the span gameserver.boot of ours at the receiver", arrived, { timeout: EXPORTED_MS });
}

interface Booted extends AsyncDisposable {
  readonly ready: number;
  readonly service: string;
}

async function startApp(stage: Stage, name: VariantName): Promise<Booted> {
  using sidecar = await stage.openSidecar();
  const { service, env } = await describeServer(stage, name, sidecar);
  const spawned = process.hrtime.bigint();
  const child = spawn(process.execPath, [...VARIANTS[name].flags, appFile(name)], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const dispose = () => kill(child);
  try {
    const readyAt = await Promise.race([sidecar.ready(), early(child, name)]);
    return { ready: Number(readyAt - spawned) / 1e6, service, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function early(child: ChildProcess, name: string): Promise<never> {
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += String(chunk)));
  const [code] = (await once(child, "close")) as [number | null];
  throw new Error(`the app "${name}" ended with ${code} before Ready: ${said.trim()}`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}
