import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startReceiver, type ReceivedSpan } from "../../../demo/receiver/receiver.ts";
import { app, JOURNEY, play, start } from "../../_register.ts";

const NODE_SDK = fileURLToPath(new URL("./node-sdk.mjs", import.meta.url));
const ENVIRONMENT = {
  OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  OTEL_BSP_SCHEDULE_DELAY: "100",
  OTEL_METRICS_EXPORTER: "none",
  OTEL_LOGS_EXPORTER: "none",
  OTEL_SERVICE_NAME: "theirs",
};

/** What arrives of a program whose telemetry is started by this preload, and the program's own spans by their scope. */
async function played(preload: string, name: string): Promise<readonly ReceivedSpan[]> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const args = ["--import", preload, app(name)];
  const game = start(args, { ...ENVIRONMENT, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  await play((await game.listening()).port);
  await receiver.waitFor(() => receiver.spans.some((span) => span.name === "session.lifecycle"), 10_000);
  expect(await game.stop(), game.output()).toBe(0);
  expect(game.output().match(/^colyseus-otel: .*$/gm)).toEqual([expect.stringContaining("that SDK is used")]);
  return receiver.spans;
}

const ours = (spans: readonly ReceivedSpan[]) => spans.filter(({ scope }) => scope.name === "colyseus-otel");

test.each(["plain.ts", "plain.cjs"])(
  "@opentelemetry/sdk-node has %s's spans, each once, in one trace",
  async (name) => {
    const spans = await played(NODE_SDK, name);
    expect(spans.map((span) => span.name).sort()).toEqual(JOURNEY);
    const journey = spans.filter((span) => !span.name.startsWith("gameserver."));
    expect(new Set(journey.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(spans.map(({ resource }) => resource["service.name"]))).toEqual(new Set(["theirs"]));
  },
);

test.each(["plain.ts", "plain.cjs"])(
  "@opentelemetry/auto-instrumentations-node and %s: the player is in the HTTP request's trace, and no span is there twice",
  async (name) => {
    const spans = await played("@opentelemetry/auto-instrumentations-node/register", name);
    expect(
      ours(spans)
        .map((span) => span.name)
        .sort(),
    ).toEqual(JOURNEY);
    const matchmake = spans.find((span) => span.name === "matchmake arena")!;
    const requests = spans.filter(
      ({ scope, kind }) => scope.name.endsWith("instrumentation-http") && kind === "SERVER",
    );
    expect(requests).toHaveLength(1);
    expect(matchmake.parentSpanId).toBe(requests[0]!.spanId);
    const journey = ours(spans).filter((span) => !span.name.startsWith("gameserver."));
    expect(new Set(journey.map(({ traceId }) => traceId))).toEqual(new Set([requests[0]!.traceId]));
  },
  40_000,
);
