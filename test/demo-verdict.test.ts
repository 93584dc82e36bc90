import { expect, test } from "vitest";
import { playersOf } from "../demo/cast.ts";
import { GAMELIFT_CAST, GAMELIFT_COLD_CAST } from "../demo/expected-gamelift.ts";
import { ALONE_CAST, CAST, COLD_CAST, REUSED_CAST } from "../demo/expected.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";
import { verdict } from "../demo/verdict.ts";
import { mutations } from "./_mutations.ts";
import { wholeStory } from "./_story.ts";

test("has nothing to say of a whole run, in whatever order it arrives", () => {
  expect(verdict(wholeStory(), CAST)).toEqual([]);
  expect(verdict(wholeStory().reverse(), CAST)).toEqual([]);
});

test("does without room.on_dispose, which may come after the trees are drawn", () => {
  expect(
    verdict(
      wholeStory().filter(({ name }) => name !== "room.on_dispose arena"),
      CAST,
    ),
  ).toEqual([]);
});

test.each([
  ["with everybody", CAST, 2000],
  ["cold", COLD_CAST, 350],
  ["on a server used again", REUSED_CAST, 600],
  ["on GameLift", GAMELIFT_CAST, 500],
  ["on GameLift, cold", GAMELIFT_COLD_CAST, 400],
  ["without an orchestrator", ALONE_CAST, 250],
] as const)("names the span of every single mutation of the story %s", (_, cast, atLeast) => {
  expect(verdict(wholeStory(cast), cast)).toEqual([]);
  const broken = mutations(wholeStory(cast), cast);
  expect(broken.length).toBeGreaterThan(atLeast);
  const unseen = broken.filter(({ name, spans }) => !verdict(spans, cast).some((line) => line.includes(name)));
  expect(unseen.map(({ what }) => what)).toEqual([]);
});

test("knows as many refused allocations as came, but the last one had a server", () => {
  const spans = wholeStory(COLD_CAST);
  const at = spans.findIndex(({ attributes }) => attributes["error.type"] === "unallocated");
  const again = (number: number) => ({
    ...spans[at]!,
    spanId: `${number}`.padStart(16, "a"),
    startMs: spans[at]!.startMs + number,
  });
  expect(verdict(spans.toSpliced(at, 0, again(1), again(2)), COLD_CAST)).toEqual([]);
  expect(verdict(spans.toSpliced(at, 0, again(1), { ...again(2), attributes: {} }), COLD_CAST)).toEqual([
    "provision.agones_allocate: error.type is none, not unallocated",
  ]);
  const last = { ...again(3), startMs: spans[at]!.startMs + 45 };
  expect(verdict([...spans, last], COLD_CAST)).toContain(
    "provision.agones_allocate: error.type is unallocated, not none",
  );
  expect(verdict(spans.toSpliced(at, 1), COLD_CAST)).toContain("provision.agones_allocate: missing");
});

test.each([-60, 60])("a server that boots %i ms from where the story has it was not started for the player", (ms) => {
  const spans = wholeStory(COLD_CAST).map((span) =>
    span.name.startsWith("gameserver.boot") || span.name.startsWith("agones.")
      ? { ...span, startMs: span.startMs + ms, endMs: span.endMs + ms }
      : span,
  );
  expect(verdict(spans, COLD_CAST)).toEqual(["gameserver.boot: does not begin during provision.allocate_server"]);
});

test.each([
  ["a span that was not received", { spanId: "f".repeat(16) }],
  ["another span", "gameserver.boot.load"],
  ["another trace", { traceId: "f".repeat(32) }],
])("the second match's link may go to the first player's boot, not to %s", (_, other) => {
  const spans = wholeStory(REUSED_CAST);
  const named = (wanted: string) => spans.find(({ name }) => name === wanted)!;
  const { traceId, spanId } = named(typeof other === "string" ? other : "gameserver.boot");
  const link = { traceId, spanId, attributes: {}, ...(typeof other === "string" ? {} : other) };
  const isReused = ({ name, attributes }: ReceivedSpan) =>
    name === "gameserver.allocated" && attributes["gameserver.start"] === "reused";
  const run = spans.map((span) => (isReused(span) ? { ...span, links: [link] } : span));
  expect(verdict(run, REUSED_CAST)).toEqual(["bob: gameserver.allocated: no link to gameserver.boot"]);
});

test("names every span of the story when nothing arrived", () => {
  const wanted = CAST.flatMap(({ story }) => story.filter(({ optional }) => !optional));
  expect(verdict([], CAST)).toHaveLength(wanted.length);
  expect(verdict([], CAST)[0]).toBe("gameserver.boot: missing");
  expect(verdict([], CAST).at(-1)).toBe("eve: room.auth arena: missing");
});

test("names what --trust ignore leaves out", () => {
  const spans = ignoringTrust(wholeStory());
  expect(verdict(spans, CAST)).toMatchInlineSnapshot(`
    [
      "matchmake arena: not a child of session.started (it has no parent)",
      "session.phase.in_game: not a child of session.started (but of arena-server's session.started)",
      "session.phase.loading: not a child of session.started (but of arena-server's session.started)",
      "session.phase.in_game: not a child of session.started (but of arena-server's session.started)",
      "room.on_drop arena: not a child of session.started (but of arena-server's session.started)",
      "session.phase.reconnecting: not a child of session.started (but of arena-server's session.started)",
      "room.join arena: not a child of session.started (but of arena-server's session.started)",
      "room.on_reconnect arena: not a child of session.started (but of arena-server's session.started)",
      "session.phase.in_game: not a child of session.started (but of arena-server's session.started)",
      "room.on_leave arena: not a child of session.started (but of arena-server's session.started)",
      "matchmake arena: not a child of session.started (it has no parent)",
      "session.phase.in_game: not a child of session.started (but of arena-server's session.started)",
      "session.phase.loading: not a child of session.started (but of arena-server's session.started)",
      "session.phase.in_game: not a child of session.started (but of arena-server's session.started)",
      "room.on_leave arena: not a child of session.started (but of arena-server's session.started)",
      "session.started: 2 spans, and the story has one",
    ]
  `);
});

test.each([
  ["kim", "session.lifecycle", { "session.end_reason": "unknown" }, "session.end_reason is unknown, not kicked"],
  ["ned", "session.lifecycle", { "session.end_type": "crash" }, "session.end_type is crash, not connection_failure"],
  ["fay", "matchmake arena", { "error.type": undefined }, "error.type is none, not room_full"],
  ["bob", "matchmake arena", { "error.type": "room_full" }, "error.type is room_full, not none"],
])("says of %s when %s does not end as it was played", (player, name, attributes, wrong) => {
  const spans = wholeStory();
  const changed = playersOf(spans)
    .get(player)!
    .find((span) => span.name === name)!;
  const run = spans.map((span) => (span === changed ? withAttributes(span, attributes) : span));
  expect(verdict(run, CAST)).toEqual([`${player}: ${name}: ${wrong}`]);
});

test("knows one end and one join of each player, and none of who was refused", () => {
  const spans = wholeStory();
  const own = (player: string, name: string) =>
    playersOf(spans)
      .get(player)!
      .find((span) => span.name === name)!;
  const again = (span: ReceivedSpan) => ({ ...span, spanId: "a".repeat(16) });
  const moved = { ...own("bob", "session.lifecycle"), ...trace(own("eve", "session.started")) };
  expect(verdict([...spans, again(own("bob", "session.lifecycle"))], CAST)).toEqual([
    "bob: session.lifecycle: 2 spans, and the story has one",
  ]);
  expect(verdict([...spans, again(own("ann", "room.join arena"))], CAST)).toContain(
    "room.join arena: 4 spans, and the story has 3",
  );
  expect(verdict([...spans, again(moved)], CAST)).toEqual(["eve: session.lifecycle: 1 span, and the story has none"]);
});

function withAttributes(span: ReceivedSpan, attributes: ReceivedSpan["attributes"]): ReceivedSpan {
  return { ...span, attributes: { ...span.attributes, ...attributes } };
}

function trace({ traceId, spanId }: ReceivedSpan) {
  return { traceId, parentSpanId: spanId };
}

test("lets the game's own spans hang under ours, and names one that hangs nowhere", () => {
  const [boot] = wholeStory() as [ReceivedSpan];
  const own = { ...boot, name: "load textures", spanId: "a".repeat(16), parentSpanId: boot.spanId };

  expect(verdict([...wholeStory(), own], CAST)).toEqual([]);
  expect(verdict([...wholeStory(), { ...own, traceId: "b".repeat(32) }], CAST)).toEqual([
    "load textures: an orphan (its parent gameserver.boot is in another trace)",
  ]);
});

// What the arena does then: each matchmake is the root of a new trace, and a session of the server's own hangs under it.
function ignoringTrust(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const named = (wanted: string) => spans.find(({ name }) => name === wanted)!;
  const [login, matchmake] = [named("session.started"), named("matchmake arena")];
  const others = new Set([...playersOf(spans)].flatMap(([player, own]) => (player === "ann" ? [] : own)));
  const traceId = "e".repeat(32);
  const own = { ...login, traceId, spanId: "e".repeat(16), parentSpanId: matchmake.spanId };
  const started = { ...own, startMs: matchmake.startMs, endMs: matchmake.startMs, resource: matchmake.resource };
  const moved = spans.map((span) => {
    if (span === login || others.has(span) || !/^(matchmake|room|session)[ .]/.test(span.name)) return span;
    if (span.resource["service.name"] !== matchmake.resource["service.name"]) return span;
    const links = span.links.map((link) => ({ ...link, traceId }));
    if (span.name === matchmake.name) return { ...span, traceId, links, parentSpanId: undefined };
    return {
      ...span,
      traceId,
      links,
      parentSpanId: span.parentSpanId === login.spanId ? own.spanId : span.parentSpanId,
    };
  });
  return [...moved, started];
}
