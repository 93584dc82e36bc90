import { expect, test } from "vitest";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";
import { verdict } from "../demo/verdict.ts";
import { mutations } from "./_mutations.ts";
import { wholeStory } from "./_story.ts";

test("has nothing to say of a whole run, in whatever order it arrives", () => {
  expect(verdict(wholeStory())).toEqual([]);
  expect(verdict(wholeStory().reverse())).toEqual([]);
});

test("does without room.on_dispose, which may come after the trees are drawn", () => {
  expect(verdict(wholeStory().filter(({ name }) => name !== "room.on_dispose arena"))).toEqual([]);
});

test("names the span of every single mutation", () => {
  const broken = mutations(wholeStory());
  expect(broken.length).toBeGreaterThan(300);
  expect(broken.filter(({ name, spans }) => !verdict(spans).some((line) => line.includes(name)))).toEqual([]);
});

test("names every span of the story when nothing arrived", () => {
  expect(verdict([])).toHaveLength(22);
  expect(verdict([])[0]).toBe("gameserver.boot: missing");
});

test("names what --trust ignore leaves out", () => {
  const spans = ignoringTrust(wholeStory());
  expect(verdict(spans)).toMatchInlineSnapshot(`
    [
      "matchmake arena: not a child of player.login (it has no parent)",
      "session.started: not a child of player.login (its parent is matchmake arena)",
    ]
  `);
});

test("lets the game's own spans hang under ours, and names one that hangs nowhere", () => {
  const [boot] = wholeStory() as [ReceivedSpan];
  const own = { ...boot, name: "load textures", spanId: "a".repeat(16), parentSpanId: boot.spanId };

  expect(verdict([...wholeStory(), own])).toEqual([]);
  expect(verdict([...wholeStory(), { ...own, traceId: "b".repeat(32) }])).toEqual([
    "load textures: an orphan (its parent gameserver.boot is in another trace)",
  ]);
});

// What the plugin does then: matchmake is the root of a new trace, and the session hangs under it.
function ignoringTrust(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const matchmake = spans.find(({ name }) => name === "matchmake arena");
  const parents = new Map([
    ["matchmake arena", undefined],
    ["session.started", matchmake?.spanId],
  ]);
  return spans.map((span) => {
    if (!/^(matchmake|room|session)[ .]/.test(span.name)) return span;
    const links = span.links.map((link) => ({ ...link, traceId: "e".repeat(32) }));
    const parentSpanId = parents.has(span.name) ? parents.get(span.name) : span.parentSpanId;
    return { ...span, traceId: "e".repeat(32), links, parentSpanId };
  });
}
