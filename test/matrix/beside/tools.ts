import { expect, test } from "vitest";
import { JOURNEY, playedSpans } from "../../_register.ts";

test.each(["../matrix/beside/tools.mjs", "plain-tools.cjs"])("listen(app) of %s is traced", async (name) => {
  const { game, receiver } = await playedSpans(name);
  expect(receiver.spans.map((span) => span.name).sort()).toEqual(JOURNEY);
  expect(game.output()).not.toContain("colyseus-otel");
});
