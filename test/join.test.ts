import { Room, type Client } from "@colyseus/core";
import { expect, test } from "vitest";
import { startServer, until } from "./_server.ts";
import { spanTree } from "./_telemetry.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class Arena extends Room {
  static override async onAuth(token: string) {
    return { token };
  }
  override onCreate() {}
  override onJoin(_client: Client, _options: unknown) {}
  override onLeave() {}
  override onDispose() {}
}

test("a player's way from the request to the leave is one trace, and continues the player's own", async () => {
  await using game = await startServer({ arena: Arena });
  const room = await game.client().joinOrCreate("arena", { traceparent: TRACEPARENT });
  await room.leave();
  await until("the disposal", () => game.recorded.named("room.on_dispose arena").length === 1);
  expect(spanTree(game.recorded.spans())).toMatchInlineSnapshot(`
    "gameserver.boot
      gameserver.boot.load
      gameserver.boot.prepare
      gameserver.boot.listen
    room.on_dispose arena  ~> room.create arena
    <outside>
      matchmake arena
        room.auth arena
        room.create arena
        room.join arena
          room.on_join arena
      session.started
        session.phase.in_game
        session.lifecycle
        room.on_leave arena  ~> room.join arena"
  `);
  const traces = new Set(game.recorded.spans().map((span) => span.spanContext().traceId));
  expect(traces).toContain("0af7651916cd43dd8448eb211c80319c");
});
