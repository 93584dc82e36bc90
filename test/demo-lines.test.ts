import { expect, test } from "vitest";
import { playersOf } from "../demo/cast.ts";
import { drawOthers } from "../demo/other-lines.ts";
import { COLD_CAST, type Cast } from "../demo/expected.ts";
import type { ReceivedSpan } from "../demo/receiver/spans.ts";
import { drawSession } from "../demo/session-line.ts";
import { wholeStory } from "./_story.ts";

test("tells a session of three services in a line, a match with its drop in one", () => {
  expect(drawSession(ofOneSession(), "ann")).toMatchInlineSnapshot(`
    "one session, told by arena-server, lobby, login, matchmaker
      ann login 50.0 ms · lobby 50.0 ms · loading 50.0 ms · crossfire 200 ms (dropped 50.0 ms) ·
          lobby 50.0 ms · loading 50.0 ms · crossfire 100 ms · logout: 2 matches, 50.0 ms"
  `);
});

test("who waits at the login service is in no lobby", () => {
  expect(drawSession(ofOneSession(COLD_CAST), "ann").split("\n")[1]).toMatch(
    /^ {2}ann login 50.0 ms · matchmaking 50.0 ms · /,
  );
});

test("is the player's own session: what others did is not in it", () => {
  const [first] = ofOneSession() as [ReceivedSpan];
  const other = { ...first, name: "session.phase.loading", attributes: { "session.id": "other", "player.id": "ann" } };
  expect(drawSession([...ofOneSession(), other], "ann")).toBe(drawSession(ofOneSession(), "ann"));
});

test("a stop of no time has none, and a match without a map is called what it is", () => {
  const spans = ofOneSession().map((span) => {
    const { "game.map": _map, ...attributes } = span.attributes;
    return { ...span, attributes, endMs: span.name === "session.phase.login" ? span.startMs : span.endMs };
  });
  expect(drawSession(spans, "ann").split("\n")[1]).toMatch(/^ {2}ann login · lobby 50.0 ms · .* · in_game \d+ ms/);
});

test("says that an end, or the session, was not received", () => {
  const unended = ofOneSession().filter(({ name }) => name !== "session.lifecycle");
  expect(drawSession(unended, "ann")).toMatch(/ · no end was received$/);
  expect(drawSession([], "ann")).toBe("ann: no session was received");
});

test("keeps within the terminal, and colours only when asked to", () => {
  for (const width of [40, 80, 100])
    for (const line of drawSession(ofOneSession(), "ann", { width }).split("\n"))
      expect(line.length).toBeLessThanOrEqual(width);
  expect(drawSession(ofOneSession(), "ann")).not.toContain("\u001B[");
  expect(drawSession(ofOneSession(), "ann", { color: true })).toContain("\u001B[");
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
      bob  00000000 client_quit (graceful)       matchmaking 50.0 ms, loading 50.0 ms, in_game 50.0 ms
      kim  00000000 kicked (enforcement)         matchmaking 50.0 ms, loading 50.0 ms, in_game 50.0 ms
      ned  00000000 timeout (connection_failure) loading 50.0 ms, in_game 50.0 ms, reconnecting 50.0 ms
      fay  00000000 refused: room_full           login 50.0 ms, matchmaking 50.0 ms, matchmake 50.0 ms
      eve  00000000 refused: auth_failed         login 50.0 ms, matchmaking 50.0 ms, matchmake 50.0 ms
      lost 00000000 no end was received          matchmaking 50.0 ms, loading 50.0 ms, in_game 50.0 ms"
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

/** The first player's spans, each with the id that the session's have. */
function ofOneSession(cast?: Cast): ReceivedSpan[] {
  const spans = wholeStory(cast);
  const { traceId } = spans.find(({ name }) => name === "session.started")!;
  return spans
    .filter((span) => span.traceId === traceId)
    .map((span) => ({ ...span, attributes: { ...span.attributes, "session.id": "one" } }));
}
