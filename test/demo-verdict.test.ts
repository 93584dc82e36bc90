import { expect, test } from "vitest";
import { STORY } from "../demo/expected.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";
import { verdict } from "../demo/verdict.ts";
import { mutations } from "./_mutations.ts";
import { wholeStory } from "./_story.ts";

test("has nothing to say of a whole run, in whatever order it arrives", () => {
  expect(verdict(wholeStory(), STORY)).toEqual([]);
  expect(verdict(wholeStory().reverse(), STORY)).toEqual([]);
});

test("does without room.on_dispose, which may come after the trees are drawn", () => {
  expect(
    verdict(
      wholeStory().filter(({ name }) => name !== "room.on_dispose arena"),
      STORY,
    ),
  ).toEqual([]);
});

test("names the span of every single mutation", () => {
  const broken = mutations(wholeStory(), STORY);
  expect(broken.length).toBeGreaterThan(300);
  expect(broken.filter(({ name, spans }) => !verdict(spans, STORY).some((line) => line.includes(name)))).toEqual([]);
});

test("names every span of the story when nothing arrived", () => {
  expect(verdict([], STORY)).toHaveLength(22);
  expect(verdict([], STORY)[0]).toBe("gameserver.boot: missing");
});

test("names what --trust ignore leaves out", () => {
  const spans = ignoringTrust(wholeStory());
  expect(verdict(spans, STORY)).toMatchInlineSnapshot(`
    [
      "session.started: 2 spans, and the story has one",
      "matchmake arena: not a child of session.started (it has no parent)",
      "session.phase.in_game: not a child of session.started (but of arena-server's session.started)",
      "session.lifecycle: not a child of session.started (but of arena-server's session.started)",
      "room.on_leave arena: not a child of session.started (but of arena-server's session.started)",
    ]
  `);
});

test("lets the game's own spans hang under ours, and names one that hangs nowhere", () => {
  const [boot] = wholeStory() as [ReceivedSpan];
  const own = { ...boot, name: "load textures", spanId: "a".repeat(16), parentSpanId: boot.spanId };

  expect(verdict([...wholeStory(), own], STORY)).toEqual([]);
  expect(verdict([...wholeStory(), { ...own, traceId: "b".repeat(32) }], STORY)).toEqual([
    "load textures: an orphan (its parent gameserver.boot is in another trace)",
  ]);
});

// What the plugin does then: matchmake is the root of a new trace, and a session of the server's own hangs under it.
function ignoringTrust(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const named = (wanted: string) => spans.find(({ name }) => name === wanted)!;
  const [login, matchmake] = [named("session.started"), named("matchmake arena")];
  const traceId = "e".repeat(32);
  const own = { ...login, traceId, spanId: "e".repeat(16), parentSpanId: matchmake.spanId };
  const started = { ...own, startMs: matchmake.startMs, endMs: matchmake.startMs, resource: matchmake.resource };
  const moved = spans.map((span) => {
    if (span === login || !/^(matchmake|room|session)[ .]/.test(span.name)) return span;
    if (span.resource["service.name"] === "login") return span;
    const links = span.links.map((link) => ({ ...link, traceId }));
    if (span === matchmake) return { ...span, traceId, links, parentSpanId: undefined };
    return {
      ...span,
      traceId,
      links,
      parentSpanId: span.parentSpanId === login.spanId ? own.spanId : span.parentSpanId,
    };
  });
  return [...moved, started];
}
