import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startReceiver } from "../../../demo/receiver/receiver.ts";
import { app, JOURNEY, play, playedSpans, start } from "../../_register.ts";

const MAIN = app("../matrix/beside/typescript/main.ts");

test("node alone does not run this program", async () => {
  expect(await start([MAIN], { OTEL_TRACES_EXPORTER: "none" }).exit()).toBe(1);
});

test.each([
  ["node --import tsx", ["--import", "tsx"]],
  ["tsx", [fileURLToPath(import.meta.resolve("tsx/cli")), "--import", "colyseus-otel/register"]],
])(
  "a program that runs by %s is traced",
  async (_runner, args) => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.close());
    const game = start([...args, MAIN], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    await play((await game.listening()).port);
    await receiver.waitFor((spans) => spans.some(({ name }) => name === "session.lifecycle"), 10_000);
    // tsx ends with 143 where the program ends with 0.
    await game.stop();
    expect(receiver.spans.map(({ name }) => name).sort()).toEqual(JOURNEY);
    expect(game.output()).not.toContain("colyseus-otel");
  },
  40_000,
);

test("the options of the program's own startTelemetry() count by tsx as well", async () => {
  const { game, spans } = await playedSpans("plain-instrumented.ts", { NODE_OPTIONS: "--import tsx" });
  expect(spans.get("gameserver.boot")!.resource["game.build"]).toBe("own");
  expect(game.output()).not.toContain("colyseus-otel");
}, 40_000);

test("instrument() while listen() waits for ours is the one that traces", async () => {
  const { game, receiver } = await playedSpans("plain-instrumented.ts", {
    NODE_OPTIONS: "--import tsx",
    PLAIN: "meanwhile",
  });
  expect(receiver.spans.map(({ name }) => name).sort()).toEqual(JOURNEY);
  expect(game.output()).not.toContain("colyseus-otel");
}, 40_000);
