import pc from "picocolors";
import { createNarrator, type Say } from "./narrator.ts";
import { readOptions, type DemoOptions } from "./options.ts";
import { playOf, type Play } from "./plays.ts";
import { judge, printReport } from "./report.ts";
import { flushServices, startBackstage, type Stage } from "./stage.ts";
import { playAgain } from "./story.ts";

const options = readOptions(process.argv.slice(2));
// On a pipe isTTY is undefined, which picocolors takes for "as CI does": in colour.
const color = process.stdout.isTTY ? pc.isColorSupported : false;
const say = createNarrator(color);
// The players' SDK prints each step of a return there; the demo says it in its own words.
console.info = () => {};
const stack = new AsyncDisposableStack();
const interrupted = Promise.withResolvers<number>();
let exitCode: number | undefined;

// A second Ctrl-C does not wait: the processes leave by themselves when this one is gone.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.once(signal, () => {
    process.once(signal, () => process.exit(code));
    interrupted.resolve(code);
  });

try {
  const signalled = await Promise.race([run(options), interrupted.promise]);
  // Once the story is judged, Ctrl-C is how the demo is meant to end.
  exitCode ??= signalled ?? 1;
} catch (error) {
  exitCode = 1;
  console.error(`\n${(error as Error).message}`);
}
await stack.disposeAsync();
say("demo", "every process has ended");
process.exit(exitCode);

async function run(given: DemoOptions): Promise<void> {
  const play = playOf(given);
  const stage = await play.perform(stack, await startBackstage(stack, given, say), say);
  await flushServices(stage);
  exitCode = (await tell(stage, play)) ? 0 : 1;
  if (stage.admin !== undefined) say("game", `metrics ${given.once ? "were" : "are"} at ${stage.admin}/metrics`);
  if (!given.once) await playOn(stage, say);
}

async function tell({ receiver, otlpEndpoint }: Stage, { cast }: Play): Promise<boolean> {
  if (receiver === undefined) {
    say("demo", `the traces are at ${otlpEndpoint}: look there; nothing is drawn or judged here`);
    return true;
  }
  const judged = await judge(receiver, cast);
  printReport(judged, cast, color);
  return judged.wrong.length === 0;
}

async function playOn(stage: Stage, tellOf: Say): Promise<never> {
  tellOf("demo", "goes on playing; Ctrl-C ends it");
  for (let number = 2; ; number++) {
    stage.game.gone.throwIfAborted();
    const name = `player-${number}`;
    const played = await playAgain(stage, name, 2 + Math.random() * 2);
    const { joinedIn, score, moves, traceId } = played;
    tellOf(name, `joined in ${joinedIn.toFixed(0)} ms, left after ${moves} moves, score ${score}; trace ${traceId}`);
  }
}
