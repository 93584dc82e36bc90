import { expect, test } from "vitest";
import { JOURNEY, playedSpans } from "../../_register.ts";

test.each(["plain.cjs", "plain-tools.cjs"])("%s is traced under the preload, from CommonJS", async (name) => {
  const { game, receiver, spans } = await playedSpans(name);
  expect(receiver.spans.map((span) => span.name).sort()).toEqual(JOURNEY);
  expect(spans.get("room.join arena")!.parentSpanId).toBe(spans.get("matchmake arena")!.spanId);
  expect(game.output()).not.toContain("colyseus-otel");
});
