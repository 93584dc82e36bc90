import fc from "fast-check";
import { expect, test } from "vitest";
import {
  admitToken,
  fits,
  MAX_TOKEN,
  parseToken,
  tokenOf,
  TOKEN_TEXTS,
  type SessionToken,
} from "../src/propagation/session-token.ts";
import { stripJoinOptions, tokenFromJoinOptions } from "../src/propagation/join-options.ts";

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;

const text = (name: keyof typeof TOKEN_TEXTS) =>
  fc.option(
    fc.string({ unit: "binary", minLength: 1, maxLength: TOKEN_TEXTS[name] / 4 }).filter((one) => fits(name, one)),
    { nil: undefined },
  );
const counts = fc.integer({ min: 0, max: 999_999 });
const tokens: fc.Arbitrary<SessionToken> = fc.record({
  id: fc.oneof(fc.uuid(), fc.stringMatching(/^[\w-]{1,64}$/)),
  start: fc.integer({ min: NOW - DAY, max: NOW + 5000 }),
  leg: counts,
  matches: counts,
  end: fc.constantFrom("server", "service"),
  playerId: text("playerId"),
  authMethod: text("authMethod"),
  clientVersion: text("clientVersion"),
  platform: text("platform"),
});

const ANN: SessionToken = {
  id: "0b9d2a3e-1f6c-4c57-9a51-0d6a4c2b7e11",
  start: NOW,
  leg: 0,
  matches: 0,
  end: "server",
  playerId: "steam:7656",
  authMethod: "steam",
  clientVersion: "1.4.2",
  platform: "windows",
};
const TOKEN = "1:0b9d2a3e-1f6c-4c57-9a51-0d6a4c2b7e11:1800000000000:0:0:server:steam%3A7656:steam:1.4.2:windows";

test("a session's token is readable, and fits a header", () => {
  expect(tokenOf(ANN)).toBe(TOKEN);
  expect(parseToken(TOKEN, NOW)).toEqual(ANN);
});

test("what is written is what is read", () => {
  fc.assert(
    fc.property(tokens, (token) => {
      expect(parseToken(tokenOf(token), NOW)).toEqual(token);
    }),
    { numRuns: 3000 },
  );
});

test("no token is over 512 bytes, whatever the player is called, and every one can be read", () => {
  const anything = fc.option(fc.string({ unit: "binary", maxLength: 600 }), { nil: undefined });
  const whatever = fc.record({
    id: fc.stringMatching(/^[\w-]{64}$/),
    start: fc.constant(NOW),
    leg: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    matches: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    end: fc.constant("service" as const),
    playerId: anything,
    authMethod: anything,
    clientVersion: anything,
    platform: anything,
  });
  fc.assert(
    fc.property(whatever, (token) => {
      const written = tokenOf(token);
      expect(Buffer.byteLength(written)).toBeLessThanOrEqual(MAX_TOKEN);
      expect(parseToken(written, NOW)).toMatchObject({ id: token.id, end: "service" });
    }),
    { numRuns: 3000 },
  );
  const texts = Object.fromEntries(Object.entries(TOKEN_TEXTS).map(([name, bytes]) => [name, "x".repeat(bytes)]));
  const longest = { ...ANN, ...texts, id: "i".repeat(64), start: 999_999_999_999_999, leg: 1e9, matches: 1e9 };
  expect(tokenOf({ ...longest, end: "service" }).length).toBeLessThanOrEqual(MAX_TOKEN);
});

test("a player id that is too long for the token is left out: half of it would be somebody else", () => {
  for (const playerId of ["x".repeat(193), "ü".repeat(33), "a\nb", "a\u2028b", "\ud800", ""]) {
    expect(parseToken(tokenOf({ ...ANN, playerId }), NOW)).toEqual({ ...ANN, playerId: undefined });
  }
  expect(parseToken(tokenOf({ ...ANN, playerId: "ü".repeat(32) }), NOW)).toEqual({ ...ANN, playerId: "ü".repeat(32) });
});

test.each([
  { id: "" },
  { id: "a:b" },
  { id: "i".repeat(65) },
  { start: Number.NaN },
  { start: -1 },
  { start: 1e21 },
  { leg: -1 },
  { leg: 1.5 },
  { matches: Number.NaN },
  { end: "nobody" },
])("the writer refuses %j", (wrong) => {
  expect(() => tokenOf({ ...ANN, ...wrong } as SessionToken)).toThrow(TypeError);
});

test("100,000 payloads of any kind: nothing is thrown, and only what the writer writes is a token", () => {
  const pieces = fc.constantFrom(
    ":",
    "1",
    "0",
    "server",
    "service",
    "%3A",
    "%",
    "%zz",
    "%c0%80",
    "-1",
    "1e9",
    "\0",
    "ü",
  );
  const edited = fc.tuple(tokens, fc.nat(), fc.nat(3), fc.string({ maxLength: 4 })).map(([token, at, cut, put]) => {
    const written = tokenOf(token);
    const index = at % written.length;
    return written.slice(0, index) + put + written.slice(index + cut);
  });
  const payloads = fc.oneof(
    { weight: 1, arbitrary: fc.anything() },
    { weight: 2, arbitrary: fc.array(pieces, { maxLength: 30 }).map((list) => list.join("")) },
    { weight: 4, arbitrary: edited },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 700 }) },
  );
  let believed = 0;
  fc.assert(
    fc.property(payloads, (payload) => {
      const parsed = parseToken(payload, NOW);
      if (typeof parsed === "object") {
        believed += 1;
        expect(tokenOf(parsed)).toBe(payload);
      } else {
        expect(["absent", "malformed", "stale"]).toContain(parsed);
      }
    }),
    { numRuns: 100_000 },
  );
  expect(believed).toBeGreaterThan(100);
});

test.each([
  [TOKEN.replace("1:", "2:"), "malformed"],
  [`${TOKEN}:`, "malformed"],
  [TOKEN.replace(":windows", ""), "malformed"],
  [TOKEN.replace("1.4.2", "1%2E4.2"), "malformed"],
  [TOKEN.replace("%3A", "%3a"), "malformed"],
  [TOKEN.replace("windows", "win%0Adows"), "malformed"],
  [TOKEN.replace("windows", "%E2%80%A8"), "malformed"],
  [TOKEN.replace("windows", "%ED%A0%80"), "malformed"],
  [TOKEN.replace("windows", "w".repeat(65)), "malformed"],
  [TOKEN.replace(":0:0:", ":00:0:"), "malformed"],
  [TOKEN.replace(":0:0:", ":0:1000000:"), "malformed"],
  [TOKEN.replace("server", "nobody"), "malformed"],
  [TOKEN.padEnd(MAX_TOKEN + 1, "x"), "malformed"],
  [[TOKEN], "malformed"],
  [{ toString: () => TOKEN }, "malformed"],
  [0, "malformed"],
  ["", "absent"],
  [null, "absent"],
  [undefined, "absent"],
])("%j is %s", (payload, outcome) => {
  expect(parseToken(payload, NOW)).toBe(outcome);
});

test("a start that lies ahead of both clocks' difference, or over a day back, is stale", () => {
  const at = (start: number) => parseToken(tokenOf({ ...ANN, start }), NOW);
  expect([at(NOW + 5000), at(NOW - DAY)].map((token) => typeof token)).toEqual(["object", "object"]);
  expect([at(NOW + 5001), at(NOW - DAY - 1), at(1)]).toEqual(["stale", "stale", "stale"]);
});

test("only the options' own string is a token: no getter is run, nothing inherited is taken", () => {
  const token = tokenOf({ ...ANN, start: Date.now() });
  expect(tokenFromJoinOptions({ "colyseus-otel": token })).toMatchObject({ id: ANN.id });
  const getter = {
    get "colyseus-otel"(): string {
      throw new Error("was run");
    },
  };
  for (const options of [getter, Object.create({ "colyseus-otel": token }), undefined, null, token, [token]]) {
    expect(tokenFromJoinOptions(options)).toBe("absent");
  }
  const options = { "colyseus-otel": token, name: "Ann" };
  stripJoinOptions(options);
  expect(options).toEqual({ name: "Ann" });
});

test("a token is believed where its context is", () => {
  expect(admitToken(ANN, "continue")).toEqual({ token: ANN, outcome: "continued" });
  for (const trust of ["link", "ignore"] as const) {
    expect(admitToken(ANN, trust)).toEqual({ token: undefined, outcome: "ignored" });
  }
  expect(admitToken("stale", "continue")).toEqual({ token: undefined, outcome: "ignored" });
});
