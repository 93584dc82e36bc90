import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { poll } from "../demo/waiting.ts";
import type { BarSpec, Measured, Round } from "./bar.ts";
import { roundLine } from "./bar.ts";
import { appEnvironment, appFile, type AppName, type Stage } from "./stage.ts";
import { shuffled } from "./statistics.ts";

const SPEC: BarSpec = { name: "boot", what: "process start to Ready", unit: "ms", target: 1 };
const WARM_UP = 2;
/** The receiver's copy of the boot comes after Ready: SDK packages with breaths between them, then a batch. */
const EXPORTED_MS = 15_000;

/** Process start to Ready, as the sidecar saw it, on one clock. Every run is a new process. */
export async function measureBoot(stage: Stage, rounds: number, say: (line: string) => void): Promise<Measured> {
  for (let run = 0; run < WARM_UP; run += 1) {
    await bootOnce(stage, "bare");
    await bootOnce(stage, "ours");
  }
  await checkExport(stage);
  const measured: Round[] = [];
  for (let number = 1; number <= rounds; number += 1) {
    const round = await measureRound(stage);
    measured.push(round);
    say(`boot ${number}/${rounds}: ${roundLine(SPEC.unit, round)}`);
  }
  return { spec: SPEC, rounds: measured };
}

async function measureRound(stage: Stage): Promise<Round> {
  const took = { ours: 0, bare: 0, again: 0 };
  for (const key of shuffled(["ours", "bare", "again"] as const)) {
    took[key] = await bootOnce(stage, key === "ours" ? "ours" : "bare");
  }
  return { ours: took.ours, bare: [took.bare, took.again] };
}

/** Milliseconds. */
async function bootOnce(stage: Stage, app: AppName): Promise<number> {
  await using booting = await startApp(stage, app);
  return booting.ready;
}

/** The bar counts for nothing unless the boot it times is really told: one run is let live until it is. */
async function checkExport(stage: Stage): Promise<void> {
  const boots = async () => (await stage.receiver.counts())["gameserver.boot"] ?? 0;
  const before = await boots();
  await using _booted = await startApp(stage, "ours");
  const arrived = async () => ((await boots()) > before ? true : undefined);
  await poll("the span gameserver.boot of ours at the receiver", arrived, { timeout: EXPORTED_MS });
}

async function startApp(stage: Stage, app: AppName): Promise<AsyncDisposable & { readonly ready: number }> {
  const env = { ...process.env, ...(await appEnvironment(stage)) };
  const spawned = process.hrtime.bigint();
  const child = spawn(process.execPath, [appFile(app)], { env, stdio: ["ignore", "ignore", "pipe"] });
  const dispose = () => kill(child);
  try {
    const readyAt = await Promise.race([stage.sidecar.ready(), early(child, app)]);
    return { ready: Number(readyAt - spawned) / 1e6, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function early(child: ChildProcess, app: AppName): Promise<never> {
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += String(chunk)));
  const [code] = (await once(child, "close")) as [number | null];
  throw new Error(`the app "${app}" ended with ${code} before Ready: ${said.trim()}`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}
