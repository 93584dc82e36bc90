import { expect, test } from "vitest";
import { drawBoot } from "../demo/boot-table.ts";
import { playersOf } from "../demo/cast.ts";
import { CAST } from "../demo/expected.ts";
import { drawOthers } from "../demo/other-lines.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";
import { drawTraces } from "../demo/tree.ts";
import { wholeStory } from "./_story.ts";

test("draws the story as two trees, with the process of each span and where it was continued from", () => {
  expect(drawTraces(inFull())).toMatchInlineSnapshot(`
    "trace 00000000000000000000000000000001
    7 spans, 60.0 ms, arena-server
    gameserver.boot                                arena-server ██████████████████████████       50.0 ms
    ├─ gameserver.boot.load                        arena-server      ██████████████████████████  50.0 ms
    ├─ gameserver.boot.prepare                     arena-server      ██████████████████████████  50.0 ms
    ├─ gameserver.boot.listen                      arena-server      ██████████████████████████  50.0 ms
    ├─ agones.connect                              arena-server      ██████████████████████████  50.0 ms
    ├─ agones.ready                                arena-server      ██████████████████████████  50.0 ms
    └─ agones.wait_for_ready                       arena-server      ██████████████████████████  50.0 ms

    trace 00000000000000000000000000000008
    20 spans, 160 ms, login, matchmaker, arena-server
    session.started                                login        ██████████                       50.0 ms
    ├─ session.phase.login                         login         ██████████                      50.0 ms
    ├─ session.phase.matchmaking                   login         ██████████                      50.0 ms
    ├─ provision.allocate_server                   matchmaker    ██████████                      50.0 ms
    │  │ ↳ continued from session.started in login
    │  └─ provision.agones_allocate                matchmaker      ██████████                    50.0 ms
    │     └─ gameserver.allocated                  arena-server      ██████████                  50.0 ms
    │        │ ↳ continued from provision.agones_allocate in matchmaker
    │        │ ⇢ linked to gameserver.boot in trace 00000000
    │        └─ gameserver.map_load                arena-server        ██████████                50.0 ms
    ├─ matchmake arena                             arena-server  ██████████                      50.0 ms
    │  │ ↳ continued from session.started in login
    │  ├─ room.auth arena                          arena-server    ██████████                    50.0 ms
    │  ├─ room.join arena                          arena-server    ██████████                    50.0 ms
    │  │  └─ room.on_join arena                    arena-server      ██████████                  50.0 ms
    │  └─ room.create arena                        arena-server    ██████████                    50.0 ms
    ├─ session.phase.in_game                       arena-server  ██████████                      50.0 ms
    │    ↳ continued from session.started in login
    ├─ room.on_drop arena                          arena-server  ██████████                      50.0 ms
    │    ↳ continued from session.started in login
    │    ⇢ linked to room.join arena in this trace
    ├─ session.phase.reconnecting                  arena-server  ██████████                      50.0 ms
    │    ↳ continued from session.started in login
    ├─ room.on_reconnect arena                     arena-server  ██████████                      50.0 ms
    │    ↳ continued from session.started in login
    │    ⇢ linked to room.join arena in this trace
    ├─ room.on_leave arena                         arena-server  ██████████                      50.0 ms
    │    ↳ continued from session.started in login
    │    ⇢ linked to room.join arena in this trace
    ├─ session.lifecycle                           arena-server  ██████████                      50.0 ms
    │    ↳ continued from session.started in login
    ├─ room.join arena                             arena-server                      ██████████  50.0 ms
    │    ↳ continued from session.started in login
    │    ⇢ linked to room.join arena in this trace
    └─ session.phase.in_game                       arena-server                      ██████████  50.0 ms
         ↳ continued from session.started in login"
  `);
});

test("marks a failed span, a refusal, and a parent that never came", () => {
  const [boot] = wholeStory() as [ReceivedSpan];
  const spans = [
    span(boot, "matchmake arena", 0, 100, { parentSpanId: "9".repeat(16) }),
    span(boot, "room.auth arena", 5, 6, { attributes: { "error.type": "refused_auth" } }),
    span(boot, "room.create arena", 20, 80, {
      status: { code: "ERROR", message: "no such map" },
      attributes: { "error.type": "Error" },
      links: [{ traceId: "7".repeat(32), spanId: "7".repeat(16), attributes: {} }],
    }),
  ];
  expect(drawTraces(spans)).toMatchInlineSnapshot(`
    "trace 00000000000000000000000000000001
    3 spans, 100 ms, arena-server
    matchmake arena                                arena-server ███████████████████████████████   100 ms
    │ ↳ continued from span 99999999, which was not received
    ├─ room.auth arena                             arena-server  ▏                               1.00 ms
    │    ! refused: refused_auth
    └─ ✗ room.create arena                         arena-server       ███████████████████        60.0 ms
         ⇢ linked to span 77777777 in trace 77777777
         ✗ Error: no such map"
  `);
});

test("draws the way in to scale and lets the long stay go on past the edge", () => {
  const [boot] = wholeStory() as [ReceivedSpan];
  const spans = [
    span(boot, "matchmake arena", 0, 30, { parentSpanId: undefined }),
    span(boot, "room.join arena", 30, 60),
    span(boot, "session.phase.in_game", 60, 60_000),
    span(boot, "room.on_leave arena", 59_999, 60_000),
  ];
  expect(drawTraces(spans)).toMatchInlineSnapshot(`
    "trace 00000000000000000000000000000001
    4 spans, 60.00 s, arena-server; bars: the first 60.0 ms, ▶ goes on
    matchmake arena                                arena-server ████████████████                 30.0 ms
    ├─ room.join arena                             arena-server                ████████████████  30.0 ms
    ├─ session.phase.in_game                       arena-server                               ▶  59.94 s
    └─ room.on_leave arena                         arena-server                               ▶  1.00 ms"
  `);
});

test("keeps every line within the terminal, whatever the names", () => {
  const [boot] = wholeStory() as [ReceivedSpan];
  const long = "a.name.that.goes.on.and.on.".repeat(5);
  const more = { resource: { "service.name": long } };
  const spans = [
    ...wholeStory(),
    span(boot, long, 0, 90_000, more),
    span(boot, "below", 99, 120, { parentSpanId: boot.spanId }),
  ];
  for (const width of [80, 100, 132])
    for (const line of drawTraces(spans, { width }).split("\n")) expect(line.length).toBeLessThanOrEqual(width);
});

test("draws every span once, also two that are each other's parent or have one id", () => {
  const [boot] = wholeStory() as [ReceivedSpan];
  const spans = [
    span(boot, "egg", 1, 2, { spanId: "a".repeat(16), parentSpanId: "b".repeat(16) }),
    span(boot, "hen", 3, 4, { spanId: "b".repeat(16), parentSpanId: "a".repeat(16) }),
    span(boot, "self", 5, 6, { spanId: "c".repeat(16), parentSpanId: "c".repeat(16) }),
    span(boot, "twin", 7, 8, { spanId: "c".repeat(16), parentSpanId: undefined }),
  ];
  const names = drawTraces(spans)
    .match(/egg|hen|self|twin/g)
    ?.sort();
  expect(names).toEqual(["egg", "hen", "self", "twin"]);
});

test("colours only when asked to", () => {
  expect(drawTraces(wholeStory())).not.toContain("\u001B[");
  expect(drawTraces(wholeStory(), { color: true })).toContain("\u001B[");
});

test("says of each of the others in a line what the spans say, and no more", () => {
  const players = new Map(playersOf(wholeStory()));
  players.delete("ann");
  players.set(
    "lost",
    players.get("bob")!.filter(({ name }) => name !== "session.lifecycle"),
  );
  expect(drawOthers(players)).toMatchInlineSnapshot(`
    "the others: trace, how it came out, what took how long
      bob  00000000 client_quit (graceful)       login 50.0 ms, matchmaking 50.0 ms, in_game 50.0 ms
      kim  00000000 kicked (enforcement)         login 50.0 ms, matchmaking 50.0 ms, in_game 50.0 ms
      ned  00000000 timeout (connection_failure) in_game 50.0 ms, reconnecting 50.0 ms
      fay  00000000 refused: room_full           login 50.0 ms, matchmaking 50.0 ms, matchmake 50.0 ms
      eve  00000000 refused: auth_failed         login 50.0 ms, matchmaking 50.0 ms, matchmake 50.0 ms
      lost 00000000 no end was received          login 50.0 ms, matchmaking 50.0 ms, in_game 50.0 ms"
  `);
  expect(drawOthers(players, { color: true })).toContain("\u001B[");
  for (const line of drawOthers(players, { width: 80 }).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("leaves out a phase that took no time, and who was refused has the request instead", () => {
  const players = playersOf(wholeStory().map((span) => ({ ...span, endMs: span.startMs + 0.2 })));
  const [bob, eve] = ["bob", "eve"].map((name) => new Map([[name, players.get(name)!]]));
  expect(drawOthers(bob!).split("\n")[1]).toMatch(/client_quit \(graceful\)$/);
  expect(drawOthers(eve!).split("\n")[1]).toMatch(/refused: auth_failed +matchmake 0.20 ms$/);
});

test("draws the boot's phases to scale", () => {
  expect(drawBoot(wholeStory())).toMatchInlineSnapshot(`
    "boot: process start to Ready in 50.0 ms
      phase                         began     took
      gameserver.boot.load        10.0 ms  50.0 ms            ██████████████████████████████████████████
      gameserver.boot.prepare     10.0 ms  50.0 ms            ██████████████████████████████████████████
      gameserver.boot.listen      10.0 ms  50.0 ms            ██████████████████████████████████████████
      agones.connect              10.0 ms  50.0 ms            ██████████████████████████████████████████
      agones.ready                10.0 ms  50.0 ms            ██████████████████████████████████████████
      agones.wait_for_ready       10.0 ms  50.0 ms            ██████████████████████████████████████████"
  `);
});

test("says that no boot was received", () => {
  expect(drawBoot([])).toBe("no boot was received");
});

// All but the disposal, which comes last.
function inFull(): ReceivedSpan[] {
  return wholeStory().slice(0, CAST[0].story.length - 1);
}

function span(
  like: ReceivedSpan,
  name: string,
  from: number,
  to: number,
  more: Partial<ReceivedSpan> = {},
): ReceivedSpan {
  const spanId = name.startsWith("matchmake") ? "1".repeat(16) : String(from).padStart(16, "0");
  const parentSpanId = "1".repeat(16);
  return { ...like, spanId, parentSpanId, name, startMs: like.startMs + from, endMs: like.startMs + to, ...more };
}
