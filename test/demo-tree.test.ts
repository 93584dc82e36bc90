import { expect, test } from "vitest";
import { CAST } from "../demo/expected.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";
import { drawTraces } from "../demo/tree.ts";
import { wholeStory } from "./_story.ts";

test("draws the story as three trees, with the process of each span and where it was continued from", () => {
  expect(drawTraces(inFull())).toMatchInlineSnapshot(`
    "trace 00000000000000000000000000000001
    7 spans, 110 ms, arena-server
    gameserver.boot                                arena-server ██████████████                   50.0 ms
    ├─ gameserver.boot.load                        arena-server   ██████████████                 50.0 ms
    ├─ gameserver.boot.prepare                     arena-server      ██████████████              50.0 ms
    ├─ gameserver.boot.listen                      arena-server         ██████████████           50.0 ms
    ├─ agones.connect                              arena-server            ██████████████        50.0 ms
    ├─ agones.ready                                arena-server               ██████████████     50.0 ms
    └─ agones.wait_for_ready                       arena-server                 ██████████████   50.0 ms

    trace 00000000000000000000000000000008
    4 spans, 80.0 ms, lobby
    gameserver.boot                                lobby ████████████████████████                50.0 ms
    ├─ gameserver.boot.load                        lobby     ████████████████████████            50.0 ms
    ├─ gameserver.boot.prepare                     lobby          ████████████████████████       50.0 ms
    └─ gameserver.boot.listen                      lobby               ████████████████████████  50.0 ms

    trace 0000000000000000000000000000000c
    37 spans, 410 ms, login, lobby, matchmaker, arena-server
    session.started                                login        ████                             50.0 ms
    ├─ session.phase.login                         login        ████                             50.0 ms
    ├─ matchmake lobby                             lobby         ████                            50.0 ms
    │  │ ↳ continued from session.started in login
    │  ├─ room.auth lobby                          lobby          ████                           50.0 ms
    │  └─ room.join lobby                          lobby           ████                          50.0 ms
    ├─ session.phase.matchmaking                   lobby           ████                          50.0 ms
    ├─ provision.allocate_server                   matchmaker       ████                         50.0 ms
    │  │ ↳ continued from session.started in login
    │  └─ provision.agones_allocate                matchmaker        ████                        50.0 ms
    │     └─ gameserver.allocated                  arena-server       ████                       50.0 ms
    │        │ ↳ continued from provision.agones_allocate in matchmaker
    │        │ ⇢ linked to gameserver.boot in trace 00000000
    │        └─ gameserver.map_load                arena-server       ████                       50.0 ms
    ├─ matchmake arena                             arena-server        ████                      50.0 ms
    │  │ ↳ continued from session.started in login
    │  ├─ room.auth arena                          arena-server         ████                     50.0 ms
    │  ├─ room.join arena                          arena-server          ████                    50.0 ms
    │  │  └─ room.on_join arena                    arena-server          ████                    50.0 ms
    │  └─ room.create arena                        arena-server           ████                   50.0 ms
    ├─ session.phase.in_game                       arena-server            ████                  50.0 ms
    ├─ session.phase.loading                       arena-server             ████                 50.0 ms
    ├─ session.phase.in_game                       arena-server             ████                 50.0 ms
    ├─ room.on_drop arena                          arena-server              ████                50.0 ms
    │    ⇢ linked to room.join arena in this trace
    ├─ session.phase.reconnecting                  arena-server               ████               50.0 ms
    ├─ room.join arena                             arena-server                ████              50.0 ms
    │    ⇢ linked to room.join arena in this trace
    ├─ room.on_reconnect arena                     arena-server                ████              50.0 ms
    │    ⇢ linked to room.join arena in this trace
    ├─ session.phase.in_game                       arena-server                 ████             50.0 ms
    ├─ room.on_leave arena                         arena-server                  ████            50.0 ms
    │    ⇢ linked to room.join arena in this trace
    ├─ matchmake lobby                             lobby                          ████           50.0 ms
    │  │ ↳ continued from session.started in login
    │  ├─ room.auth lobby                          lobby                          ████           50.0 ms
    │  └─ room.join lobby                          lobby                           ████          50.0 ms
    ├─ session.phase.matchmaking                   lobby                            ████         50.0 ms
    ├─ matchmake arena                             arena-server                      ████        50.0 ms
    │  │ ↳ continued from session.started in login
    │  ├─ room.auth arena                          arena-server                      ████        50.0 ms
    │  └─ room.join arena                          arena-server                       ████       50.0 ms
    │     └─ room.on_join arena                    arena-server                        ████      50.0 ms
    ├─ session.phase.in_game                       arena-server                         ████     50.0 ms
    ├─ session.phase.loading                       arena-server                         ████     50.0 ms
    ├─ session.phase.in_game                       arena-server                          ████    50.0 ms
    ├─ room.on_leave arena                         arena-server                           ████   50.0 ms
    │    ⇢ linked to room.join arena in this trace
    └─ session.lifecycle                           login                                   ████  50.0 ms"
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
