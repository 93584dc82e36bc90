import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { sessionOf } from "colyseus-otel";
import { FOREIGN } from "./_secrets.ts";
import { roomOf, startServer, until } from "./_server.ts";
import { Arena, ARENA, login, play } from "./_signed.ts";

const STRANGERS = 200;

test("the version of a signed token is a label of game.session.duration, the platform of any token, in small letters", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  await play(game, login({ clientVersion: "1.4.2", platform: "Windows" }).carrier);
  expect(await game.recorded.points("game.session.duration")).toMatchObject({
    "client.platform=windows client.version=1.4.2 end_type=graceful": { count: 1 },
  });
});

test.each([
  ["not signed, where nobody asks for it", undefined, undefined, "client.platform=ios end_type=graceful"],
  ["signed, where nobody asks for it", undefined, ARENA, "client.platform=ios end_type=graceful"],
  ["signed with another secret", ARENA, { ...ARENA, secrets: [FOREIGN] }, "end_type=graceful"],
  ["not signed, where it must be", ARENA, undefined, "end_type=graceful"],
])("the version of a token that is %s is no label", async (_what, trust, sign, labels) => {
  await using game = await startServer({ arena: Arena }, trust && { trust });
  await play(game, login({ clientVersion: "1.4.2", platform: "ios", sign }).carrier);
  expect(Object.keys(await game.recorded.points("game.session.duration"))).toEqual([labels]);
});

test("the carrier that the server gives for the next room vouches for the version as the login's did", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  const room = await game.client().joinOrCreate("arena", login({ clientVersion: "1.4.2" }).carrier);
  const next = sessionOf(roomOf(room.roomId).clients.getById(room.sessionId)!).carrier();
  await room.leave();
  await until("the end", () => game.recorded.named("session.lifecycle").length === 1);
  await play(game, next);
  expect(await game.recorded.points("game.session.duration")).toEqual({
    "client.version=1.4.2 end_type=graceful": { count: 2, sum: expect.any(Number) },
  });
});

test("a platform and a language that nobody knows are other, one that is not said is no label", async () => {
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  await play(game, login({ platform: "toaster" }).carrier, { "accept-language": "tlh-KX, de;q=0.5" });
  await play(game, login({ platform: "switch" }).carrier, { "accept-language": "de-AT, en;q=0.5" });
  await play(game, login().carrier);
  const points = async (metric: string) => Object.keys(await game.recorded.points(metric));
  expect(await points("game.session.duration")).toEqual([
    "client.platform=other end_type=graceful",
    "client.platform=switch end_type=graceful",
    "end_type=graceful",
  ]);
  const ends = await points("game.session.ends");
  expect(ends.slice(0, 2)).toEqual([
    "client.locale=other end_reason=client_quit",
    "client.locale=de end_reason=client_quit",
  ]);
  expect(ends.length).toBe(3);
});

const KNOWN = ["windows", "macos", "linux", "android", "ios", "web", "playstation", "xbox", "switch"];
const strangers = fc.record({
  platform: fc.oneof(fc.constantFrom(...KNOWN), fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" })),
  clientVersion: fc.string({ minLength: 1, maxLength: 20, unit: "grapheme-ascii" }),
  language: fc.stringMatching(/^[a-z]{2,3}(-[A-Z]{2})?$/),
});

test(`${STRANGERS} random platforms, versions and languages, all signed: a bounded set of series, of words that are known`, async () => {
  const seed = Date.now() & 0x7fffffff;
  // Texts that fit no token are said.
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  await using game = await startServer({ arena: Arena }, { trust: ARENA });
  for (const { language, ...said } of fc.sample(strangers, { numRuns: STRANGERS, seed })) {
    await play(game, login(said).carrier, { "accept-language": language });
  }
  warned.mockRestore();
  const durations = Object.keys(await game.recorded.points("game.session.duration"));
  const platforms = valuesOf(durations, /client\.platform=(.*?)(?= client\.| end_type)/);
  expect([...KNOWN, "other"], `seed ${seed}`).toEqual(expect.arrayContaining(platforms));
  expect(platforms.length, `seed ${seed}`).toBeGreaterThan(5);
  // The first four, `other`, and none at all.
  expect(valuesOf(durations, /client\.version=(.*) end_type/).length, `seed ${seed}`).toBe(5);
  expect(durations.length, `seed ${seed}`).toBeLessThanOrEqual(11 * 6);
  const languages = valuesOf(Object.keys(await game.recorded.points("game.session.ends")), /client\.locale=(\w+)/);
  expect(languages, `seed ${seed}`).toContain("other");
  expect(languages.length, `seed ${seed}`).toBeLessThanOrEqual(29);
});

function valuesOf(series: readonly string[], label: RegExp): string[] {
  return [...new Set(series.flatMap((labels) => label.exec(labels)?.[1] ?? []))];
}
